/** What a retry takes, and what it changes for the next attempt. */
import type { Host } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundRequest } from './prepare-request.ts';
import type { RouteStats } from './route-stats.ts';

/** Takes one retry, when there is one left and the circuit breaker lets it; false sets the flag that says why not. */
export function takeRetry(exchange: Exchange, { retry, cluster }: OutboundRequest, routeStats: RouteStats | undefined): boolean {
  if (retry!.remaining <= 0) {
    cluster.stats.counter('upstream_rq_retry_limit_exceeded').inc();
    routeStats?.retryLimitExceeded.inc();
    exchange.addFlag('URX');
    return false;
  }
  retry!.used();
  if (!cluster.tryRetry()) {
    routeStats?.retryOverflow.inc();
    exchange.addFlag('UO');
    return false;
  }
  cluster.stats.counter('upstream_rq_retry').inc();
  routeStats?.retry.inc();
  cluster.stats.counter('upstream_rq_retry_backoff_exponential').inc();
  return true;
}

/** Has the next attempt choose another host, or priority, as the policy says. Envoy: retry_host_predicate, retry_priority. */
export function avoidHost({ decision, balance }: OutboundRequest, host: Host): void {
  const policy = decision.action.retry;
  if (policy?.avoidPreviousHosts === true) {
    balance.avoid = new Set([...(balance.avoid ?? []), host]);
    balance.maxReselections = policy.hostSelectionAttempts;
  }
  if (policy?.previousPriorities !== undefined) balance.avoidPriorities = new Set([...(balance.avoidPriorities ?? []), host.priority]);
}
