import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyCors, compileCors, decideCors } from '../../src/routing/cors.ts';
import { fine, request } from './compiled.ts';

const policy = {
  allowOriginStringMatch: [{ exact: 'https://a.com' }, { suffix: '.b.com' }],
  allowMethods: 'GET,POST',
  allowHeaders: 'x-h',
  exposeHeaders: 'x-e',
  maxAge: '600',
  allowCredentials: true,
};
const cors = (...policies: object[]) => fine((p) => compileCors(policies, 'cors', p))!;
const preflight = (origin: string, more: string[] = []) =>
  request('/', ['origin', origin, 'access-control-request-method', 'PUT', ...more], { method: 'OPTIONS' });

test('a preflight of an allowed origin is answered', () => {
  assert.equal(decideCors(cors(policy), preflight('https://a.com')), {
    kind: 'preflight',
    headers: [
      'access-control-allow-origin',
      'https://a.com',
      'access-control-allow-credentials',
      'true',
      'access-control-allow-methods',
      'GET,POST',
      'access-control-allow-headers',
      'x-h',
      'access-control-max-age',
      '600',
    ],
  });
});

test('a preflight of another origin goes on, or is answered without the origin', () => {
  assert.equal(decideCors(cors(policy), preflight('https://A.com')), { kind: 'pass' });
  const ignore = decideCors(
    cors({ allowOriginStringMatch: [{ exact: 'x' }], forwardNotMatchingPreflights: false }),
    preflight('https://c.com'),
  );
  assert.equal(ignore, { kind: 'preflight', headers: [] });
});

test('* echoes what was asked, and allows any origin', () => {
  const any = cors({ allowOriginStringMatch: [{ exact: '*' }], allowMethods: '*', allowHeaders: '*', allowPrivateNetworkAccess: true });
  const decision = decideCors(
    any,
    preflight('null', ['access-control-request-headers', 'x-q', 'access-control-request-private-network', 'true']),
  );
  assert.equal(decision, {
    kind: 'preflight',
    headers: [
      'access-control-allow-origin',
      'null',
      'access-control-allow-methods',
      'PUT',
      'access-control-allow-headers',
      'x-q',
      'access-control-allow-private-network',
      'true',
    ],
  });
});

test('an actual request marks its response', () => {
  const decision = decideCors(cors(policy), request('/', ['origin', 'https://x.b.com']));
  const headers = ['access-control-allow-origin', 'upstream', 'x', '1'];
  applyCors(cors(policy), decision, headers);
  assert.equal(headers, [
    'access-control-allow-origin',
    'https://x.b.com',
    'x',
    '1',
    'access-control-allow-credentials',
    'true',
    'access-control-expose-headers',
    'x-e',
  ]);
  for (const r of [request('/'), request('/', ['origin', 'https://c.com']), request('/', ['origin', ''])])
    assert.equal(decideCors(cors(policy), r), { kind: 'pass' });
  // An OPTIONS without a method asked for is no preflight.
  assert.is(decideCors(cors(policy), request('/', ['origin', 'https://a.com'], { method: 'OPTIONS' })).kind, 'actual');
});

test('a level that says nothing of a field leaves it to the next; filter_enabled is the first one’s', () => {
  const merged = cors({ maxAge: '5' }, policy);
  assert.is(merged.maxAge, '5');
  assert.is(merged.allowMethods, 'GET,POST');
  const off = cors({ filterEnabled: { defaultValue: { numerator: 0 } } }, policy);
  assert.equal(decideCors(off, preflight('https://a.com')), { kind: 'pass' });
  assert.is(
    fine((p) => compileCors([], 'cors', p)),
    undefined,
  );
});

test.run();
