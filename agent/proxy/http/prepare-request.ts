import { finalizeRequest } from '../../../src/routing/finalize.ts';
import { type GeneratedCookie, hashOf } from '../../../src/routing/hash-policy.ts';
import { removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import { clusterName } from '../../../src/routing/match.ts';
import { RETRY_HEADERS, type RetryState, retryStateOf } from '../../../src/routing/retry-state.ts';
import { type RequestTimeouts, timeoutsOf } from '../../../src/routing/timeouts.ts';
import type { RouteDecision } from '../../../src/routing/types.ts';
import type { Cluster, ClusterManager, LoadBalancerContext, RawHeaders, UpstreamRequest } from '../types.ts';
import type { Exchange } from './exchange.ts';

/** A request made ready for its cluster. */
export interface OutboundRequest {
  readonly decision: RouteDecision;
  readonly cluster: Cluster;
  readonly request: UpstreamRequest;
  readonly authority: string;
  readonly timeouts: RequestTimeouts;
  retry: RetryState | undefined;
  readonly balance: LoadBalancerContext;
  readonly setCookies: readonly GeneratedCookie[];
  /** How much of the body may be kept for another attempt, bytes. */
  readonly bufferLimit: number;
}

const STEERING: ReadonlySet<string> = new Set([...RETRY_HEADERS, 'x-envoy-upstream-rq-timeout-ms', 'x-envoy-expected-rq-timeout-ms']);
const noCookies: readonly GeneratedCookie[] = [];
const nothing = {};

/** Reads what steers the request, then changes it as the route says. Undefined when there is no such cluster. */
export function prepareRequest(exchange: Exchange, decision: RouteDecision, clusters: ClusterManager): OutboundRequest | undefined {
  const { request, manager } = exchange;
  const cluster = clusters.get(clusterName(decision, request));
  if (cluster === undefined) return undefined;
  const { suppressEnvoyHeaders } = manager.router;
  const timeouts = timeoutsOf(decision, request);
  const retry = retryStateOf(decision, request);
  removeSteering(request.headers);
  const out = { path: request.path, authority: request.authority, headers: request.headers };
  finalizeRequest(decision, request, out, decision.requestMutations.length > 0 ? exchange.info() : nothing, suppressEnvoyHeaders);
  if (decision.virtualHost.includeRequestAttemptCount) setHeader(out.headers, 'x-envoy-attempt-count', '1');
  if (timeouts.expected > 0 && !suppressEnvoyHeaders) setHeader(out.headers, 'x-envoy-expected-rq-timeout-ms', String(timeouts.expected));
  if (timeouts.grpcTimeout !== undefined) setHeader(out.headers, 'grpc-timeout', timeouts.grpcTimeout);
  request.path = out.path;
  request.authority = out.authority;
  request.headersChanged();
  const headers: RawHeaders = ['host', out.authority];
  for (let i = 0; i < out.headers.length; i++) headers.push(out.headers[i]!);
  const balance: LoadBalancerContext = { authority: out.authority };
  let setCookies = noCookies;
  if (decision.action.hashPolicies.length > 0) {
    const { info } = exchange.connection;
    const hashed = hashOf(decision, request, info.remoteAddress + info.localAddress);
    if (hashed.hash !== undefined) balance.hash = hashed.hash;
    setCookies = hashed.setCookie;
  }
  if (decision.metadataMatch !== undefined) balance.metadataMatch = decision.metadataMatch;
  const { originalDestination } = exchange.connection.info;
  if (originalDestination !== undefined) balance.originalDestination = originalDestination;
  const upstream: UpstreamRequest = {
    method: request.method,
    scheme: request.scheme,
    path: out.path,
    headers,
    endStream: exchange.requestEnded && exchange.collected === undefined,
    downstreamProtocol: exchange.stream.protocol,
  };
  if (exchange.upgrade !== undefined && exchange.upgrade !== 'connect') {
    upstream.upgrade = exchange.upgrade;
    // RFC 8441 5: an extended CONNECT is a GET to an HTTP/1.1 server.
    if (upstream.method === 'CONNECT') upstream.method = 'GET';
  }
  return {
    decision,
    cluster,
    request: upstream,
    authority: out.authority,
    timeouts,
    retry: exchange.upgrade === undefined ? retry : undefined,
    balance,
    setCookies,
    bufferLimit: decision.action.bufferLimit ?? manager.settings.bufferLimit,
  };
}

/** One look for the common case: a request that carries none of them. */
function removeSteering(headers: RawHeaders): void {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length > 15 && name.startsWith('x-envoy-') && STEERING.has(name)) {
      removeHeader(headers, name);
      i -= 2;
    }
  }
}
