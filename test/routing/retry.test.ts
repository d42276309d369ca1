import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { headerView } from '../../src/routing/header-view.ts';
import { type AttemptOutcome, type RetryState, retryStateOf } from '../../src/routing/retry-state.ts';
import { forwarded, request } from './compiled.ts';

const stateOf = (retryPolicy: object | undefined, headers: string[] = []): RetryState | undefined => {
  const r = request('/', headers);
  return retryStateOf(
    forwarded([{ match: { prefix: '/' }, route: { cluster: 'a', ...(retryPolicy === undefined ? {} : { retryPolicy }) } }], r),
    r,
  );
};
const answer = (status: number, headers: string[] = []): AttemptOutcome => ({
  kind: 'response',
  status,
  headers: headerView(headers, status),
});
const reset = (
  reason: 'connect-failure' | 'connect-timeout' | 'overflow' | 'remote-reset' | 'remote-refused',
  requestStarted = true,
): AttemptOutcome => ({ kind: 'reset', reason, requestStarted });
const timeout: AttemptOutcome = { kind: 'per-try-timeout' };

test('each condition asks for its outcomes only', () => {
  const outcomes: Record<string, AttemptOutcome> = {
    500: answer(500),
    502: answer(502),
    504: answer(504),
    599: answer(599),
    409: answer(409),
    404: answer(404),
    200: answer(200),
    connect: reset('connect-failure', false),
    late: reset('connect-timeout', false),
    refused: reset('remote-refused'),
    reset: reset('remote-reset'),
    early: reset('remote-reset', false),
    overflow: reset('overflow', false),
    timeout,
    limited: answer(503, ['x-envoy-ratelimited', 'true']),
    grpc14: answer(200, ['grpc-status', '14']),
    grpc1: answer(200, ['grpc-status', '1']),
  };
  const rows: Record<string, string> = {
    '5xx': '500 502 504 599 connect late refused reset early timeout',
    'gateway-error': '502 504 connect late refused reset early timeout',
    reset: 'connect late refused reset early timeout',
    'reset-before-request': 'connect late early',
    'connect-failure': 'connect late',
    'refused-stream': 'refused',
    'retriable-4xx': '409',
    'envoy-ratelimited': 'limited',
    unavailable: 'grpc14',
    cancelled: 'grpc1',
    'retriable-status-codes': '404',
    'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes': '404 connect late refused grpc14 grpc1',
  };
  for (const [retryOn, expected] of Object.entries(rows)) {
    const state = stateOf({ retryOn, retriableStatusCodes: [404] })!;
    const retried = Object.keys(outcomes).filter((name) => state.shouldRetry(outcomes[name]!) !== undefined);
    assert.equal(retried.sort(), expected.split(' ').sort(), retryOn);
  }
});

test('retriable-headers looks at the response', () => {
  const state = stateOf({ retryOn: 'retriable-headers', retriableHeaders: [{ name: 'x-again', stringMatch: { exact: 'yes' } }] })!;
  assert.is(state.shouldRetry(answer(200, ['x-again', 'yes'])), 'retriable-headers');
  assert.is(state.shouldRetry(answer(200, ['x-again', 'no'])), undefined);
});

test('no policy and no header: no state', () => {
  assert.is(stateOf(undefined), undefined);
  assert.is(stateOf({ numRetries: 3 }), undefined);
  assert.is(stateOf({ retryOn: 'nonsense' }), undefined);
});

test('headers of the request add conditions, codes and names, and set the number', () => {
  const state = stateOf({ retryOn: 'connect-failure', numRetries: 2 }, [
    'x-envoy-retry-on',
    'retriable-status-codes, retriable-headers',
    'x-envoy-retry-grpc-on',
    'internal',
    'x-envoy-max-retries',
    '7',
    'x-envoy-retriable-status-codes',
    '404,x,418',
    'x-envoy-retriable-header-names',
    'X-Again, y',
  ])!;
  assert.is(state.remaining, 7);
  assert.is(state.shouldRetry(answer(418)), 'retriable-status-codes');
  assert.is(state.shouldRetry(answer(200, ['y', '1'])), 'retriable-headers');
  assert.is(state.shouldRetry(answer(200, ['grpc-status', '13'])), 'internal');
  assert.is(state.shouldRetry(reset('connect-failure', false)), 'connect-failure');
  assert.is(stateOf(undefined, ['x-envoy-retry-on', '5xx'])!.remaining, 1);
});

test('retriable_request_headers limit which requests are retried', () => {
  const policy = { retryOn: '5xx', retriableRequestHeaders: [{ name: 'x-ok' }] };
  assert.is(stateOf(policy), undefined);
  assert.ok(stateOf(policy, ['x-ok', '1'])!.active);
});

test('back-off: full jitter below an interval that doubles up to ten times the base', () => {
  const state = stateOf({ retryOn: '5xx', retryBackOff: { baseInterval: '0.100s' } })!;
  const nearlyOne = 1 - Number.EPSILON;
  assert.equal(
    Array.from({ length: 6 }, () => state.backOff(nearlyOne)),
    [99, 199, 399, 799, 999, 999],
  );
  assert.is(state.backOff(0), 0);
  const plain = stateOf({ retryOn: '5xx' })!;
  assert.equal([plain.backOff(0.5), plain.backOff(0.5)], [12, 25]);
});

test('rate-limited back-off follows the reset headers', () => {
  const state = stateOf({
    retryOn: '5xx',
    rateLimitedRetryBackOff: {
      resetHeaders: [
        { name: 'Retry-After', format: 'SECONDS' },
        { name: 'x-reset', format: 'UNIX_TIMESTAMP' },
      ],
      maxInterval: '10s',
    },
  })!;
  assert.is(state.backOff(0, headerView(['retry-after', '4'])), 4000);
  assert.is(state.backOff(0.5, headerView(['retry-after', '4'])), 5000);
  assert.is(state.backOff(0, headerView(['x-reset', '107']), 100_900), 7000);
  // Longer than the limit: the ordinary back-off.
  assert.ok(state.backOff(0.99, headerView(['retry-after', '11'])) < 25);
});

test('istio host predicates and priorities are understood, others refused', () => {
  const { retry } = forwarded(
    [
      {
        match: { prefix: '/' },
        route: {
          cluster: 'a',
          retryPolicy: {
            retryOn: '5xx',
            hostSelectionRetryMaxAttempts: '5',
            retryHostPredicate: [
              {
                name: 'envoy.retry_host_predicates.previous_hosts',
                typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate' },
              },
            ],
            retryPriority: {
              name: 'p',
              typedConfig: {
                '@type': 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
                updateFrequency: 2,
              },
            },
          },
        },
      },
    ],
    request('/'),
  ).action;
  assert.is(retry?.avoidPreviousHosts, true);
  assert.is(retry?.hostSelectionAttempts, 5);
  assert.is(retry?.previousPriorities, 2);
});

test.run();
