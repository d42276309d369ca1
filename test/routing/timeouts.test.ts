import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { grpcTimeoutMs, timeoutsOf, toGrpcTimeout } from '../../src/routing/timeouts.ts';
import { forwarded, request } from './compiled.ts';

const of = (action: object, headers: string[] = []) => {
  const r = request('/', headers);
  return timeoutsOf(forwarded([{ match: { prefix: '/' }, route: { cluster: 'a', ...action } }], r), r);
};
const grpc = ['content-type', 'application/grpc'];

test('the route timeout is 15 s unless set; 0 is none', () => {
  assert.is(of({}).global, 15_000);
  assert.is(of({ timeout: '0s' }).global, 0);
  assert.is(of({ timeout: '1.500s' }).global, 1500);
  assert.is(of({ timeout: '1.500s' }).expected, 1500);
});

test('headers change the timeouts; a per-try timeout that is no shorter counts for nothing', () => {
  const policy = { timeout: '3s', retryPolicy: { retryOn: '5xx', perTryTimeout: '1s' } };
  assert.equal([of(policy).perTry, of(policy).expected], [1000, 1000]);
  assert.is(of(policy, ['x-envoy-upstream-rq-timeout-ms', '900']).perTry, 0);
  assert.is(of(policy, ['x-envoy-upstream-rq-timeout-ms', '900']).global, 900);
  assert.is(of(policy, ['x-envoy-upstream-rq-per-try-timeout-ms', '50']).perTry, 50);
  assert.is(of({ ...policy, timeout: '0s' }, ['x-envoy-upstream-rq-per-try-timeout-ms', '50']).perTry, 50);
  assert.is(of(policy, ['x-envoy-upstream-rq-timeout-ms', 'x']).global, 3000);
});

test('grpc-timeout counts only with max_grpc_timeout, which caps it', () => {
  assert.is(of({ timeout: '3s' }, [...grpc, 'grpc-timeout', '1S']).global, 3000);
  assert.is(of({ timeout: '3s', maxGrpcTimeout: '5s' }, [...grpc, 'grpc-timeout', '1S']).global, 1000);
  assert.is(of({ timeout: '3s', maxGrpcTimeout: '5s' }, [...grpc, 'grpc-timeout', '1M']).global, 5000);
  assert.is(of({ timeout: '3s', maxGrpcTimeout: '5s' }, grpc).global, 5000);
  assert.is(of({ timeout: '3s', maxGrpcTimeout: '0s' }, grpc).global, 0);
  assert.is(of({ maxGrpcTimeout: '0s', grpcTimeoutOffset: '0.100s' }, [...grpc, 'grpc-timeout', '1S']).global, 900);
  assert.is(of({ maxGrpcTimeout: '5s' }, [...grpc, 'grpc-timeout', '1S']).grpcTimeout, '1000m');
  assert.is(of({ timeout: '3s', maxGrpcTimeout: '5s' }, ['grpc-timeout', '1S']).global, 3000);
});

test('max_stream_duration replaces the route timeout', () => {
  assert.equal([of({ maxStreamDuration: {} }).global, of({ maxStreamDuration: {} }).maxStream], [0, undefined]);
  assert.is(of({ maxStreamDuration: { maxStreamDuration: '7s' } }).maxStream, 7000);
  const capped = { maxStreamDuration: { maxStreamDuration: '7s', grpcTimeoutHeaderMax: '2s', grpcTimeoutHeaderOffset: '0.500s' } };
  assert.is(of(capped, [...grpc, 'grpc-timeout', '10S']).maxStream, 1500);
  assert.is(of(capped, [...grpc, 'grpc-timeout', '400m']).maxStream, 0);
  assert.is(of(capped).maxStream, 7000);
});

test('grpc-timeout is read and written', () => {
  const rows: Record<string, number | undefined> = {
    '1H': 3_600_000,
    '2M': 120_000,
    '3S': 3000,
    '4m': 4,
    '5u': 1,
    '1500u': 2,
    '1n': 1,
    '123456789m': undefined,
    '1': undefined,
    m: undefined,
    '-1S': undefined,
  };
  for (const [text, ms] of Object.entries(rows)) assert.is(grpcTimeoutMs(text), ms, text);
  assert.equal([1500, 99_999_999, 100_000_000].map(toGrpcTimeout), ['1500m', '99999999m', '100000S']);
});

test.run();
