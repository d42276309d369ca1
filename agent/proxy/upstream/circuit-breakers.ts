import type { Thresholds } from '../../../src/upstream/thresholds.ts';
import type { ClusterStats } from '../types.ts';
import { Limit } from './limit.ts';

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
