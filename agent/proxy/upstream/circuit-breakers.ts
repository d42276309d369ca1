import type { CircuitBreakersJson } from '#envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js';
import type { ClusterStats } from '../types.ts';
import { jsonNumber } from './json-number.ts';
import { Limit } from './limit.ts';

/** Envoy's defaults: three retries, 1024 of everything else. */
const DEFAULTS = { connections: 1024, pending: 1024, requests: 1024, retries: 3 } as const;

/** The limits of one routing priority, as configured. */
export interface Thresholds {
  connections: number;
  pending: number;
  requests: number;
  retries: number;
  budget: { percent: number; minimum: number } | undefined;
  trackRemaining: boolean;
}

/** The thresholds of a routing priority. */
export function thresholdsOf(config: CircuitBreakersJson | undefined, priority: 'DEFAULT' | 'HIGH'): Thresholds {
  const found = config?.thresholds?.find((t) => (t.priority ?? 'DEFAULT') === priority);
  const budget = found?.retryBudget;
  return {
    connections: jsonNumber(found?.maxConnections, DEFAULTS.connections),
    pending: jsonNumber(found?.maxPendingRequests, DEFAULTS.pending),
    requests: jsonNumber(found?.maxRequests, DEFAULTS.requests),
    retries: jsonNumber(found?.maxRetries, DEFAULTS.retries),
    budget:
      budget === undefined
        ? undefined
        : { percent: jsonNumber(budget.budgetPercent?.value, 20), minimum: jsonNumber(budget.minRetryConcurrency, 3) },
    trackRemaining: found?.trackRemaining ?? false,
  };
}

/** The circuit breakers of a cluster's default priority (the only one that routes use here). */
export class CircuitBreakers {
  readonly connections: Limit;
  readonly pending: Limit;
  readonly requests: Limit;
  readonly #retries: Limit;
  readonly #budget: Thresholds['budget'];

  constructor(thresholds: Thresholds, stats: ClusterStats) {
    const limit = (max: number, open: string, remaining: string): Limit =>
      new Limit(
        max,
        stats.gauge(`circuit_breakers.default.${open}`),
        thresholds.trackRemaining ? stats.gauge(`circuit_breakers.default.${remaining}`) : undefined,
      );
    this.connections = limit(thresholds.connections, 'cx_open', 'remaining_cx');
    this.pending = limit(thresholds.pending, 'rq_pending_open', 'remaining_pending');
    this.requests = limit(thresholds.requests, 'rq_open', 'remaining_rq');
    this.#budget = thresholds.budget;
    // Envoy: a retry budget takes the place of max_retries.
    const max = thresholds.budget === undefined ? thresholds.retries : Number.POSITIVE_INFINITY;
    const shown = thresholds.budget === undefined && thresholds.trackRemaining;
    this.#retries = new Limit(
      max,
      stats.gauge('circuit_breakers.default.rq_retry_open'),
      shown ? stats.gauge('circuit_breakers.default.remaining_retries') : undefined,
    );
  }

  /** Takes one retry when it may run. */
  tryRetry(): boolean {
    if (!this.#mayRetry()) return false;
    this.#retries.inc();
    return true;
  }

  endRetry(): void {
    if (this.#retries.current > 0) this.#retries.dec();
  }

  #mayRetry(): boolean {
    if (this.#budget === undefined) return this.#retries.free;
    // Envoy: the budget is a share of what is active and pending, and never less than the minimum.
    const share = ((this.requests.current + this.pending.current) * this.#budget.percent) / 100;
    return this.#retries.current < Math.max(share, this.#budget.minimum);
  }
}
