/** What an attempt changes in a request, and its answer in the response. */
import { applyAutoHostRewrite, finalizeResponse } from '../../../src/routing/finalize.ts';
import { setHeader } from '../../../src/routing/header-mutation.ts';
import type { Host, RawHeaders } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundRequest } from './prepare-request.ts';

/** Changes in place what differs from attempt to attempt. */
export function renewRequest(exchange: Exchange, out: OutboundRequest, host: Host, afterTimeout: boolean): void {
  const { decision, request } = out;
  if (decision.action.autoHostRewrite) {
    const rewritten = { path: request.path, authority: out.authority, headers: request.headers };
    applyAutoHostRewrite(decision, rewritten, host.hostname, exchange.manager.router.suppressEnvoyHeaders);
    setHeader(request.headers, 'host', rewritten.authority);
  }
  if (decision.virtualHost.includeRequestAttemptCount) setHeader(request.headers, 'x-envoy-attempt-count', String(exchange.attempts));
  if (afterTimeout && decision.virtualHost.includeIsTimeoutRetryHeader) setHeader(request.headers, 'x-envoy-is-timeout-retry', 'true');
}

/** Changes an answer's headers in place, as the route says. `now` is performance.now(). */
export function finalizeAnswer(exchange: Exchange, { decision, setCookies }: OutboundRequest, headers: RawHeaders, now: number): void {
  if (exchange.requestEnded) {
    const took = Math.floor(now - exchange.requestEndedAt);
    exchange.upstreamServiceTime = took;
    if (!exchange.manager.router.suppressEnvoyHeaders) setHeader(headers, 'x-envoy-upstream-service-time', String(took));
  }
  if (decision.virtualHost.includeAttemptCountInResponse) setHeader(headers, 'x-envoy-attempt-count', String(exchange.attempts));
  for (const cookie of setCookies) headers.push('set-cookie', cookie.header);
  if (decision.responseMutations.length > 0) finalizeResponse(decision, headers, exchange.info());
}
