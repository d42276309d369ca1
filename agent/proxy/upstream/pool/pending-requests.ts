import type { ResetReason } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { OVERFLOW } from '../reset-reasons.ts';
import type { PoolOwner } from './pool-owner.ts';

/** A request that can wait. */
export interface Waiting {
  /** It waits for a connection. */
  pending: boolean;
  fail(reason: ResetReason): void;
}

/** Requests to a host that wait for a connection, oldest first, within the circuit breaker's limit. Envoy: ConnPoolImplBase::pending_streams_. */
export class PendingRequests<T extends Waiting> {
  readonly #owner: PoolOwner;
  readonly #host: UpstreamHost;
  readonly #waiting = new Set<T>();

  constructor(owner: PoolOwner, host: UpstreamHost) {
    this.#owner = owner;
    this.#host = host;
  }

  get size(): number {
    return this.#waiting.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#waiting.values();
  }

  /** False when there are too many: the request has failed. */
  add(request: T): boolean {
    const { breakers, traffic } = this.#owner;
    if (!breakers.pending.free) {
      traffic.rqPendingOverflow.inc();
      request.fail(OVERFLOW);
      return false;
    }
    breakers.pending.inc();
    traffic.rqPendingTotal.value++;
    traffic.rqPendingActive.value++;
    this.#host.stats.rqPendingActive++;
    request.pending = true;
    this.#waiting.add(request);
    return true;
  }

  remove(request: T): void {
    this.#waiting.delete(request);
    request.pending = false;
    this.#owner.breakers.pending.dec();
    this.#owner.traffic.rqPendingActive.value--;
    this.#host.stats.rqPendingActive--;
  }

  /** Envoy: a connection that fails takes all with it who wait. A retry may start again from inside. */
  failAll(reason: ResetReason): void {
    const waiting = [...this.#waiting];
    for (const request of waiting) {
      this.remove(request);
      this.#owner.traffic.rqPendingFailureEject.inc();
    }
    for (const request of waiting) {
      this.#host.stats.rqError++;
      this.#host.monitor?.localFailure(503);
      request.fail(reason);
    }
  }
}
