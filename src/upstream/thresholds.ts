import type { CircuitBreakersJson } from '#envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js';
import { jsonNumber } from './json-number.ts';

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
