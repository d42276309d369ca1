/** What the proxy answers in the upstream's place. */
import type { RawHeaders, ResetReason } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundRequest } from './prepare-request.ts';
import type { RouteStats } from './route-stats.ts';
import { describeFailure } from './upstream-failure.ts';

/** No attempt came to an answer. */
export function answerFailure(exchange: Exchange, out: OutboundRequest, stats: RouteStats | undefined, reason: ResetReason): void {
  const failure = describeFailure(reason, exchange.attempts > 1);
  exchange.addFlag(failure.flag);
  exchange.upstreamTransportFailure = failure.transport;
  charge(out, stats, failure.status);
  const headers = replyHeaders(exchange, out);
  if (reason.kind === 'overflow' && !exchange.manager.router.suppressEnvoyHeaders) headers.push('x-envoy-overloaded', 'true');
  exchange.localReply(failure.status, failure.body, failure.details, headers);
}

/** The route's timeout, or that of the last attempt, ran out; `details` says which. */
export function answerTimeout(exchange: Exchange, out: OutboundRequest, stats: RouteStats | undefined, details: string): void {
  exchange.addFlag('UT');
  if (exchange.responseStarted) exchange.details = details;
  else charge(out, stats, 504);
  exchange.localReply(504, 'upstream request timeout', details, replyHeaders(exchange, out));
}

/** The cluster has no host to send to. */
export function answerNoHost(exchange: Exchange, out: OutboundRequest, stats: RouteStats | undefined): void {
  exchange.addFlag('UH');
  charge(out, stats, 503);
  exchange.localReply(503, 'no healthy upstream', 'no_healthy_upstream', replyHeaders(exchange, out));
}

function replyHeaders(exchange: Exchange, { decision }: OutboundRequest): RawHeaders {
  const include = decision.virtualHost.includeAttemptCountInResponse && exchange.attempts > 0;
  return include ? ['x-envoy-attempt-count', String(exchange.attempts)] : [];
}

/** Envoy: chargeUpstreamAbort; what the proxy answers in the upstream's place counts as the cluster's. */
function charge({ cluster }: OutboundRequest, routeStats: RouteStats | undefined, status: number): void {
  const { stats } = cluster;
  stats.counter(`upstream_rq_${status}`).inc();
  stats.counter(`upstream_rq_${Math.floor(status / 100)}xx`).inc();
  stats.counter('upstream_rq_completed').inc();
  routeStats?.response(status);
}
