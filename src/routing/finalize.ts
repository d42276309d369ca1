import { appendToHeader, applyHeaderMutations } from './header-mutation.ts';
import type { RouteRequest } from './request.ts';
import type { StreamInfo } from './stream-info.ts';
import type { Decision, RouteDecision } from './types.ts';

/** A request on its way upstream; changed in place. */
export interface OutgoingRequest {
  path: string;
  authority: string;
  /** Flat, lower-case names, without pseudo headers and `host`. */
  headers: string[];
}

/**
 * Makes the request that goes upstream, in Envoy's order: header mutations (weighted cluster, then route, virtual host and
 * route configuration or the reverse), host rewrite, path rewrite. x-envoy-original-host and x-envoy-original-path are left
 * when something was rewritten, unless `suppressEnvoyHeaders` (the router's suppress_envoy_headers).
 */
export function finalizeRequest(
  decision: RouteDecision,
  request: RouteRequest,
  out: OutgoingRequest,
  info: StreamInfo,
  suppressEnvoyHeaders = false,
): void {
  const { action } = decision;
  const { requestMutations } = decision;
  for (let i = 0; i < requestMutations.length; i++) applyHeaderMutations(requestMutations[i]!, out.headers, info);
  // A weighted cluster's own host comes first and leaves no trace; the route's rewrites it once more.
  if (decision.hostRewriteLiteral !== undefined) out.authority = decision.hostRewriteLiteral;
  const host = action.hostRewrite?.(request, out.path);
  if (host !== undefined) rewriteHost(out, host, action.appendForwardedHost, suppressEnvoyHeaders);
  if (action.pathRewrite !== undefined) {
    if (!suppressEnvoyHeaders) replaceLast(out.headers, 'x-envoy-original-path', out.path);
    out.path = action.pathRewrite(out.path, decision.route.path, request);
  }
}

/** auto_host_rewrite, once the upstream host is chosen. Nothing happens when it has no name. */
export function applyAutoHostRewrite(decision: RouteDecision, out: OutgoingRequest, hostname: string, suppressEnvoyHeaders = false): void {
  if (decision.action.autoHostRewrite && hostname !== '')
    rewriteHost(out, hostname, decision.action.appendForwardedHost, suppressEnvoyHeaders);
}

function rewriteHost(out: OutgoingRequest, host: string, appendForwarded: boolean, suppressEnvoyHeaders: boolean): void {
  if (!suppressEnvoyHeaders) replaceLast(out.headers, 'x-envoy-original-host', out.authority);
  if (appendForwarded && out.authority !== '' && !appendToHeader(out.headers, 'x-forwarded-host', out.authority)) {
    out.headers.push('x-forwarded-host', out.authority);
  }
  out.authority = host;
}

function replaceLast(headers: string[], name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    headers[i + 1] = value;
    return;
  }
  headers.push(name, value);
}

/** Applies the response header mutations in place: to answers from upstream, redirects and direct responses alike. */
export function finalizeResponse(decision: Decision, headers: string[], info: StreamInfo): void {
  const { responseMutations } = decision;
  for (let i = 0; i < responseMutations.length; i++) applyHeaderMutations(responseMutations[i]!, headers, info);
}
