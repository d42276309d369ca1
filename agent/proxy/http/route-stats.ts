import type { RouteDecision } from '../../../src/routing/types.ts';
import type { Counter, StatsRegistry } from '../types.ts';

/** Statistics of routes with a `stat_prefix`: `vhost.<virtual host>.route.<stat prefix>.upstream_rq_…` (Envoy: router filter, route statistics). */
export interface RouteStats {
  readonly total: Counter;
  readonly retry: Counter;
  readonly retrySuccess: Counter;
  readonly retryLimitExceeded: Counter;
  readonly retryOverflow: Counter;
  readonly timeout: Counter;
  /** Counts what the client gets. */
  response(status: number): void;
}

const made = new WeakMap<StatsRegistry, Map<string, RouteStats>>();

/** The statistics of a decision's route; undefined for routes without a prefix. */
export function routeStatsOf(registry: StatsRegistry, { route, virtualHost }: RouteDecision): RouteStats | undefined {
  const { statPrefix } = route.json;
  if (!statPrefix) return undefined;
  let byPrefix = made.get(registry);
  if (byPrefix === undefined) {
    byPrefix = new Map();
    made.set(registry, byPrefix);
  }
  const prefix = `vhost.${virtualHost.name}.route.${statPrefix}`;
  let stats = byPrefix.get(prefix);
  if (stats === undefined) {
    stats = createRouteStats(registry, prefix);
    byPrefix.set(prefix, stats);
  }
  return stats;
}

function createRouteStats(registry: StatsRegistry, prefix: string): RouteStats {
  const counter = (name: string): Counter => registry.counter(`${prefix}.upstream_rq_${name}`);
  return {
    total: counter('total'),
    retry: counter('retry'),
    retrySuccess: counter('retry_success'),
    retryLimitExceeded: counter('retry_limit_exceeded'),
    retryOverflow: counter('retry_overflow'),
    timeout: counter('timeout'),
    response(status) {
      counter(String(status)).inc();
      counter(`${Math.floor(status / 100)}xx`).inc();
      counter('completed').inc();
    },
  };
}
