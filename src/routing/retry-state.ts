import type { HeaderSource } from './header-matcher.ts';
import type { RouteRequest } from './request.ts';
import { GRPC_STATUS_BIT, parseRetryOn, RETRY_GRPC_ON, RETRY_ON } from './retry-on.ts';
import type { CompiledRetryPolicy } from './retry-policy.ts';
import type { RouteDecision } from './types.ts';

/** How one attempt ended. Resets name agent/proxy's ResetReason kinds. */
export type AttemptOutcome =
  | { kind: 'response'; status: number; headers: HeaderSource }
  | {
      kind: 'reset';
      reason:
        | 'connect-failure'
        | 'connect-timeout'
        | 'overflow'
        | 'connection-termination'
        | 'remote-reset'
        | 'remote-refused'
        | 'protocol-error'
        | 'local-reset';
      /** The request's headers had been sent. */
      requestStarted: boolean;
    }
  | { kind: 'per-try-timeout' };

/** Which condition asks for a retry: a word of retry_on. */
export type RetryReason = keyof typeof RETRY_ON | keyof typeof RETRY_GRPC_ON;

/** The headers that steer retries; the router removes them from what goes upstream. */
export const RETRY_HEADERS = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-upstream-rq-per-try-timeout-ms',
] as const;

const words = new Map<number, RetryReason>(
  [...Object.entries(RETRY_ON), ...Object.entries(RETRY_GRPC_ON)].map(([word, bit]) => [bit, word as RetryReason]),
);
const GRPC_BITS = Object.values(RETRY_GRPC_ON).reduce((all, bit) => all | bit, 0);

/** The retries of one request. */
export class RetryState {
  readonly policy: CompiledRetryPolicy | undefined;
  /** How many more retries may be made. The caller takes one off with `used()`. */
  remaining: number;
  #retryOn: number;
  #statusCodes: readonly number[];
  #headerNames: readonly string[];
  #interval: number;
  #maxInterval: number;

  constructor(policy: CompiledRetryPolicy | undefined, request: RouteRequest) {
    this.policy = policy;
    this.remaining = policy?.retries ?? 1;
    this.#retryOn = effectiveRetryOn(policy, request);
    this.#statusCodes = policy?.statusCodes ?? [];
    this.#headerNames = [];
    this.#interval = policy?.baseInterval ?? 25;
    this.#maxInterval = policy?.maxInterval ?? 250;
    const max = request.header('x-envoy-max-retries');
    if (this.#retryOn !== 0 && max !== undefined && /^\s*\+?\d+\s*$/.test(max)) this.remaining = Number(max);
    const codes = request.header('x-envoy-retriable-status-codes');
    if (codes !== undefined) {
      const numbers = codes.split(',').filter((code) => /^\s*\+?\d+\s*$/.test(code));
      this.#statusCodes = [...this.#statusCodes, ...numbers.map(Number)];
    }
    const names = request.header('x-envoy-retriable-header-names');
    if (names !== undefined) this.#headerNames = names.split(',').map((name) => name.trim().toLowerCase());
  }

  /** True when some condition asks for retries. */
  get active(): boolean {
    return this.#retryOn !== 0;
  }

  /** The condition that asks for a retry of this outcome; undefined for none. Does not look at `remaining`. */
  shouldRetry(outcome: AttemptOutcome): RetryReason | undefined {
    const bit = outcome.kind === 'response' ? this.#forResponse(outcome.status, outcome.headers) : this.#forReset(outcome);
    return bit === 0 ? undefined : words.get(bit);
  }

  /** A retry has been made. */
  used(): void {
    this.remaining--;
  }

  /**
   * Milliseconds to wait before the next attempt. Full jitter: a whole number below an interval that doubles each time up to
   * the longest one. When the response carries one of the reset headers, what that says, plus up to half of it.
   */
  backOff(random: number, response?: HeaderSource, nowMs = 0): number {
    const reset = response === undefined ? undefined : this.#reset(response, nowMs);
    if (reset !== undefined) return reset + Math.floor(random * Math.max(reset >> 1, 1));
    const interval = this.#interval;
    this.#interval = Math.min(interval * 2, this.#maxInterval);
    return Math.floor(random * interval);
  }

  #has(bit: number): boolean {
    return (this.#retryOn & bit) !== 0;
  }

  #forResponse(status: number, headers: HeaderSource): number {
    // A response of an Envoy upstream that was rate limited is retried on one condition only.
    if (headers.header('x-envoy-ratelimited') !== undefined) return this.#retryOn & RETRY_ON['envoy-ratelimited'];
    if (this.#has(RETRY_ON['5xx']) && status >= 500 && status < 600) return RETRY_ON['5xx'];
    if (this.#has(RETRY_ON['gateway-error']) && status >= 502 && status <= 504) return RETRY_ON['gateway-error'];
    if (this.#has(RETRY_ON['retriable-4xx']) && status === 409) return RETRY_ON['retriable-4xx'];
    if (this.#has(RETRY_ON['retriable-status-codes']) && this.#statusCodes.includes(status)) return RETRY_ON['retriable-status-codes'];
    if (this.#has(RETRY_ON['retriable-headers'])) {
      for (const matcher of this.policy?.responseHeaders ?? []) if (matcher.testHeaders(headers)) return RETRY_ON['retriable-headers'];
      for (const name of this.#headerNames) if (headers.header(name) !== undefined) return RETRY_ON['retriable-headers'];
    }
    if (this.#has(GRPC_BITS)) {
      const grpc = headers.header('grpc-status');
      if (grpc !== undefined && /^\d+$/.test(grpc)) return this.#retryOn & (GRPC_STATUS_BIT.get(Number(grpc)) ?? 0);
    }
    return 0;
  }

  #forReset(outcome: Exclude<AttemptOutcome, { kind: 'response' }>): number {
    const reason = outcome.kind === 'reset' ? outcome.reason : 'local-reset';
    // Envoy: a circuit breaker's refusal is never retried.
    if (reason === 'overflow') return 0;
    if (this.#has(RETRY_ON.reset)) return RETRY_ON.reset;
    if (outcome.kind === 'reset' && !outcome.requestStarted && this.#has(RETRY_ON['reset-before-request']))
      return RETRY_ON['reset-before-request'];
    if (this.#has(RETRY_ON['5xx'])) return RETRY_ON['5xx'];
    if (this.#has(RETRY_ON['gateway-error'])) return RETRY_ON['gateway-error'];
    if (reason === 'remote-refused' && this.#has(RETRY_ON['refused-stream'])) return RETRY_ON['refused-stream'];
    if ((reason === 'connect-failure' || reason === 'connect-timeout') && this.#has(RETRY_ON['connect-failure']))
      return RETRY_ON['connect-failure'];
    return 0;
  }

  #reset(response: HeaderSource, nowMs: number): number | undefined {
    for (const { name, format } of this.policy?.resetHeaders ?? []) {
      const value = response.headerValues(name)[0];
      if (value === undefined || !/^\d+$/.test(value)) continue;
      const wait = format === 'SECONDS' ? Number(value) * 1000 : Number(value) * 1000 - Math.floor(nowMs / 1000) * 1000;
      if (wait > 0 && wait <= this.policy!.resetMaxInterval) return wait;
    }
    return undefined;
  }
}

function effectiveRetryOn(policy: CompiledRetryPolicy | undefined, request: RouteRequest): number {
  let bits = policy?.retryOn ?? 0;
  const http = request.header('x-envoy-retry-on');
  if (http !== undefined) bits |= parseRetryOn(http, RETRY_ON).bits;
  const grpc = request.header('x-envoy-retry-grpc-on');
  if (grpc !== undefined) bits |= parseRetryOn(grpc, RETRY_GRPC_ON).bits;
  const limits = policy?.requestHeaders ?? [];
  return limits.length > 0 && !limits.some((matcher) => matcher.test(request)) ? 0 : bits;
}

/** The retries of a request, or undefined when no condition asks for any. The steering headers still have to be removed. */
export function retryStateOf(decision: RouteDecision, request: RouteRequest): RetryState | undefined {
  const policy = decision.action.retry;
  if (
    (policy === undefined || policy.retryOn === 0) &&
    request.header('x-envoy-retry-on') === undefined &&
    request.header('x-envoy-retry-grpc-on') === undefined
  ) {
    return undefined;
  }
  const state = new RetryState(policy, request);
  return state.active ? state : undefined;
}
