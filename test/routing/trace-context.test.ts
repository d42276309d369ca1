import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { headerView } from '../../src/routing/header-view.ts';
import { extractB3, extractW3c, injectB3, injectW3c, type Lookup } from '../../src/routing/trace-context.ts';

const TRACE = '463ac35c9f6413ad48485a3953bb6124';
const SPAN = 'a2fb4a1d1a96d312';
const of =
  (headers: Record<string, string>): Lookup =>
  (name) =>
    headers[name];

test('B3 in several headers', () => {
  const sent = { 'x-b3-traceid': TRACE.toUpperCase(), 'x-b3-spanid': SPAN };
  assert.equal(extractB3(of(sent)), {
    context: { traceId: TRACE, spanId: SPAN, sampled: undefined },
    sampled: undefined,
    form: 'multi',
  });
  assert.is(extractB3(of({ ...sent, 'x-b3-sampled': '0' })).context?.sampled, false);
  assert.is(extractB3(of({ ...sent, 'x-b3-sampled': '0', 'x-b3-flags': '1' })).context?.sampled, true, 'debug wins');
  assert.is(extractB3(of({ 'x-b3-sampled': '1' })).sampled, true, 'a decision alone');
  assert.is(extractB3(of({ ...sent, 'x-b3-spanid': 'zzz' })).context, undefined);
  assert.is(extractB3(of({ ...sent, 'x-b3-traceid': '0'.repeat(32) })).context, undefined);
});

test('B3 in one header', () => {
  assert.equal(extractB3(of({ b3: `${TRACE}-${SPAN}-d-${SPAN}` })), {
    context: { traceId: TRACE, spanId: SPAN, sampled: true },
    sampled: true,
    form: 'single',
  });
  assert.equal(extractB3(of({ b3: '0' })), { context: undefined, sampled: false, form: 'single' });
  assert.is(extractB3(of({ b3: 'nonsense' })).context, undefined);
});

test('W3C', () => {
  assert.equal(extractW3c(of({ traceparent: `00-${TRACE}-${SPAN}-01` })), { traceId: TRACE, spanId: SPAN, sampled: true });
  assert.is(extractW3c(of({ traceparent: `00-${TRACE}-${SPAN}-00` }))?.sampled, false);
  assert.is(extractW3c(of({ traceparent: `ff-${TRACE}-${SPAN}-01` })), undefined);
  assert.is(extractW3c(of({ traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` })), undefined);
});

test('what is written is read again', () => {
  const span = { traceId: TRACE, spanId: SPAN, parentId: '1111111111111111', sampled: false };
  for (const form of ['single', 'multi'] as const) {
    const headers: string[] = ['x-b3-parentspanid', 'old', 'x-b3-sampled', '1'];
    injectB3(headers, span, form);
    const found = extractB3((name) => headerView(headers).header(name));
    assert.equal(found.context, { traceId: TRACE, spanId: SPAN, sampled: false }, form);
  }
  const headers: string[] = [];
  injectW3c(headers, { ...span, traceId: SPAN });
  assert.equal(headers, ['traceparent', `00-${'0'.repeat(16)}${SPAN}-${SPAN}-00`]);
});

test.run();
