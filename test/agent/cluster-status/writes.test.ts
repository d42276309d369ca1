/** How fast is written, and what becomes of writes and events that fail or are many. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEventRecorder, type StatusEvent } from '../../../agent/cluster-status/event-recorder.ts';
import { createWriteQueue, type QueuedWrite } from '../../../agent/cluster-status/write-queue.ts';
import { type Log, silentLog } from '../../../agent/log.ts';
import { FairleadError } from '../../../src/errors.ts';
import { ApiStatusError } from '../../../src/kubernetes/api-error.ts';
import type { ApiClient, RequestMore } from '../../../src/kubernetes/client.ts';
import { until } from '../../support/cluster-objects.ts';

const noting = (into: string[]): Log => ({ ...silentLog, warning: (message) => void into.push(message) });

function bench(rate = { perSecond: 1000, burst: 1000 }) {
  const stop = new AbortController();
  const said: string[] = [];
  const queue = createWriteQueue({ rate, log: noting(said), signal: stop.signal, written: () => undefined });
  return { queue, said, stop };
}

const write = (send: () => Promise<void>, version = '1', kind = 'VirtualService'): QueuedWrite => ({
  version,
  origin: 'VirtualService a/b',
  kind,
  send,
});

test('no more than so many a second', async () => {
  const { queue, stop } = bench({ perSecond: 50, burst: 5 });
  let sent = 0;
  const started = performance.now();
  for (let i = 0; i < 20; i++)
    queue.put(
      String(i),
      write(async () => void sent++),
    );
  await until('all are sent', () => sent === 20);
  assert.ok(performance.now() - started >= (15 / 50) * 1000 - 20, `${performance.now() - started} ms`);
  stop.abort();
});

test('a conflict and an object that is gone end a write; another may follow', async () => {
  const { queue, said, stop } = bench();
  let tries = 0;
  const failing = (status: number, version: string): QueuedWrite =>
    write(async () => {
      tries++;
      throw new ApiStatusError(status, '', 'x');
    }, version);
  for (const [status, version] of [
    [409, '1'],
    [404, '2'],
  ] as const) {
    queue.put('a', failing(status, version));
    await until('it is tried', () => queue.size === 0);
  }
  queue.put('a', failing(404, '2'));
  assert.is(queue.size, 0, 'what is gone is gone');
  queue.put(
    'a',
    write(async () => void tries++, '3'),
  );
  await until('the next is sent', () => tries === 3);
  assert.equal(said, []);
  stop.abort();
});

test('a busy API server gets it again after a pause, and the newest only', async () => {
  const { queue, said, stop } = bench();
  const sent: string[] = [];
  queue.put(
    'a',
    write(async () => {
      sent.push('first');
      throw new ApiStatusError(503, '', 'busy');
    }),
  );
  await until('it is tried', () => sent.length === 1);
  queue.put(
    'a',
    write(async () => void sent.push('second'), '2'),
  );
  await until('the newest is sent', () => sent.includes('second'));
  assert.equal(sent, ['first', 'second']);
  assert.is(said.length, 1);
  stop.abort();
});

test('what is refused for good is not tried again until the object is another one; what is forbidden not for a while', async () => {
  const { queue, said, stop } = bench();
  let tries = 0;
  const refused = write(async () => {
    tries++;
    throw new ApiStatusError(422, 'Invalid', 'no');
  });
  queue.put('a', refused);
  await until('it is refused', () => said.length === 1);
  queue.put('a', refused);
  assert.is(queue.size, 0);
  queue.put(
    'a',
    write(async () => void tries++, '2'),
  );
  await until('the other is sent', () => tries === 2);
  const forbidden = write(() => Promise.reject(new FairleadError('E_CLUSTER_FORBIDDEN', 'no')), '1', 'Sidecar');
  queue.put('b', forbidden);
  await until('it is forbidden', () => said.length === 2);
  queue.put('c', forbidden);
  assert.is(queue.size, 0);
  stop.abort();
});

function recorderBench() {
  const asked: { method: string; body: { series?: { count: number }; note?: string } }[] = [];
  const client = {
    request: async (_: string, more: RequestMore = {}) => void asked.push({ method: more.method ?? 'GET', body: more.body as never }),
  } as unknown as ApiClient;
  const stop = new AbortController();
  return { asked, stop, recorder: createEventRecorder({ client, instance: 'agent-a', log: silentLog, signal: stop.signal }) };
}

const event = (name: string, note = 'no'): StatusEvent => ({
  regarding: { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace: 'shop', uid: name } },
  type: 'Warning',
  reason: 'Refused',
  note,
});

test('the same event again is one more of its series, and not written each time', async () => {
  const { asked, recorder, stop } = recorderBench();
  for (let i = 0; i < 6; i++) {
    recorder.record(event('a'));
    await until('it is done', () => recorder.size === 0);
  }
  assert.equal(
    asked.map(({ method, body }) => [method, body.series?.count]),
    [
      ['POST', undefined],
      ['PATCH', 2],
    ],
  );
  stop.abort();
});

test('a thousand events at once are no flood', async () => {
  const { asked, recorder, stop } = recorderBench();
  for (let i = 0; i < 1000; i++) recorder.record(event(`a${i}`));
  assert.ok(recorder.size <= 501, `${recorder.size} wait`);
  await until('some are written', () => asked.length >= 25);
  assert.ok(asked.length < 40, `${asked.length}`);
  stop.abort();
});

test.run();
