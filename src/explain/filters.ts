import type { CorsPolicyJson } from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { applyCors, compileCors, decideCors } from '../routing/cors.ts';
import { compileFault, decideFault } from '../routing/fault.ts';
import { filterConfig, filterConfigs, filterDisabled } from '../routing/filter-config.ts';
import { clusterName } from '../routing/match.ts';
import { ProblemList } from '../routing/problems.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { Decision } from '../routing/types.ts';
import { shownDuration } from './duration.ts';
import { typeOf } from './listener.ts';
import { percent } from './percent.ts';
import type { Delay } from './types.ts';

/** What one HTTP filter does to a request that was routed so. */
export type FilterVerdict =
  | { readonly kind: 'passes'; readonly why: string }
  /** Nothing of it can change where a request goes or what the client gets. */
  | { readonly kind: 'neutral' }
  | { readonly kind: 'unevaluated'; readonly why: string }
  | { readonly kind: 'answers'; readonly status: number; readonly details: string; readonly why: string; readonly headers: string[] }
  | { readonly kind: 'adds'; readonly why: string; readonly headers: string[] }
  | { readonly kind: 'fault'; readonly why: string; readonly delay: Delay | undefined; readonly abort: AbortShare | undefined };

export interface AbortShare {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: number | undefined;
  readonly share: number;
}

const HTTP = 'envoy.extensions.filters.http';
const FAULT = `${HTTP}.fault.v3.HTTPFault`;
const CORS = `${HTTP}.cors.v3.Cors`;

/** Types that observe, mark or translate, but decide nothing that is explained. */
const NEUTRAL: ReadonlySet<string> = new Set([
  `${HTTP}.grpc_stats.v3.FilterConfig`,
  `${HTTP}.grpc_web.v3.GrpcWeb`,
  `${HTTP}.compressor.v3.Compressor`,
  `${HTTP}.decompressor.v3.Decompressor`,
  `${HTTP}.set_filter_state.v3.Config`,
]);
/** Istio's own extensions that do the same, by their names: their types differ from version to version. */
const NEUTRAL_NAMES =
  /^istio\.(?:metadata_exchange|stats|alpn)$|^envoy\.filters\.http\.(?:istio\.)?(?:metadata_exchange|peer_metadata|alpn)$/;
/** Why the usual ones are not evaluated, by a part of their type or name. */
const UNEVALUATED: Readonly<Record<string, string>> = {
  istio_authn: 'it may refuse the request for its peer or token (401)',
  ratelimit: 'it may refuse the request when there are too many (429)',
  lua: 'it runs a script',
  wasm: 'it runs code of its own',
  ext_proc: 'a service outside may change or answer the request',
  oauth2: 'it may send the client to log in',
};
const DNS = `${HTTP}.dynamic_forward_proxy.v3.FilterConfig`;
export const ROUTER = `${HTTP}.router.v3.Router`;

/** A filter with the configuration that came for it by ECDS, when there is some. */
export function configured(given: HttpFilterJson, extensions: ReadonlyMap<string, unknown> | undefined): HttpFilterJson {
  const found = given.configDiscovery === undefined ? undefined : extensions?.get(given.name ?? '');
  return found === undefined ? given : { ...given, typedConfig: found as NonNullable<HttpFilterJson['typedConfig']> };
}

/** Evaluates one filter of the chain that does not guard, in whatever way can be told. */
export function evaluateFilter(
  given: HttpFilterJson,
  decision: Decision,
  request: RouteRequest,
  extensions: ReadonlyMap<string, unknown> | undefined,
): FilterVerdict {
  const name = given.name ?? '';
  const filter = configured(given, extensions);
  const type = typeOf(filter.typedConfig);
  const disabled = filterDisabled(decision, name) ?? filter.disabled === true;
  if (disabled) return { kind: 'passes', why: 'switched off here' };
  if (filter.configDiscovery !== undefined && filter.typedConfig === undefined)
    return { kind: 'unevaluated', why: 'its configuration comes by ECDS' };
  if (type === FAULT) return fault(filter, decision, request);
  if (type === CORS) return cors(name, decision, request);
  if (type === DNS) return { kind: 'neutral' };
  if (NEUTRAL.has(type) || NEUTRAL_NAMES.test(name)) return { kind: 'neutral' };
  const known = Object.entries(UNEVALUATED).find(([part]) => type.includes(part) || name.includes(part));
  return { kind: 'unevaluated', why: known?.[1] ?? `explain does not know what ${type === '' ? 'it' : type.replace(/^.*\./, '')} does` };
}

function fault(filter: HttpFilterJson, decision: Decision, request: RouteRequest): FilterVerdict {
  const own = decision.filterLevels.length === 0 ? undefined : filterConfig(decision, filter.name ?? '');
  const config = (own ?? filter.typedConfig) as HTTPFaultJson;
  const compiled = compileFault(config, '', new ProblemList());
  if (compiled.delay === undefined && compiled.abort === undefined) return { kind: 'neutral' };
  const cluster = decision.kind === 'route' ? clusterName(decision, request) : undefined;
  // A draw of 0 takes every fraction above none: what could happen at all.
  const most = decideFault(compiled, request, cluster, 0, () => 0);
  if (most.delayMs === undefined && most.abort === undefined)
    return { kind: 'passes', why: 'a fault is configured, but not for this request' };
  const delay = most.delayMs === undefined ? undefined : { ms: most.delayMs, share: shareOf(compiled, request, cluster, 'delay') };
  const abort =
    most.abort === undefined
      ? undefined
      : {
          httpStatus: most.abort.httpStatus,
          grpcStatus: most.abort.grpcStatus,
          share: shareOf(compiled, request, cluster, 'abort'),
        };
  const parts = [
    delay && `delays ${percent(delay.share)} of such requests by ${shownDuration(delay.ms)}`,
    abort && `aborts ${percent(abort.share)} of them with ${abort.httpStatus ?? `gRPC status ${abort.grpcStatus}`}`,
  ].filter(Boolean);
  return { kind: 'fault', why: parts.join(' and '), delay, abort };
}

const WHOLE = 9_007_199_254_740_992;

/**
 * The share of draws that the filter takes. Its fractions count in millionths, and take the lowest draws: the first that is not taken
 * is found by halving, of the very function that decides.
 */
function shareOf(
  compiled: ReturnType<typeof compileFault>,
  request: RouteRequest,
  cluster: string | undefined,
  what: 'delay' | 'abort',
): number {
  const denominator = (compiled[what] as NonNullable<(typeof compiled)[typeof what]>).fraction.denominator;
  const taken = (whole: number): boolean => {
    const decided = decideFault(compiled, request, cluster, 0, () => whole / WHOLE);
    return what === 'delay' ? decided.delayMs !== undefined : decided.abort !== undefined;
  };
  let low = 0;
  let high: number = denominator;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (taken(middle)) low = middle + 1;
    else high = middle;
  }
  return low / denominator;
}

function cors(name: string, decision: Decision, request: RouteRequest): FilterVerdict {
  if (decision.kind !== 'route' || decision.filterLevels.length === 0) return { kind: 'neutral' };
  const compiled = compileCors(filterConfigs(decision, name) as readonly CorsPolicyJson[], '', new ProblemList());
  if (compiled === undefined) return { kind: 'neutral' };
  const origin = request.header('origin');
  if (origin === undefined) return { kind: 'passes', why: 'there is a CORS policy, but the request has no Origin' };
  const decided = decideCors(compiled, request, () => 0);
  if (decided.kind === 'preflight') {
    const allowed = decided.headers.includes('access-control-allow-origin');
    return {
      kind: 'answers',
      status: 200,
      details: 'cors_response',
      why: allowed ? `answers the preflight: ${origin} is allowed` : `answers the preflight: ${origin} is not allowed`,
      headers: decided.headers,
    };
  }
  if (decided.kind !== 'actual') return { kind: 'passes', why: `${origin} is not among the allowed origins: no CORS headers are added` };
  const headers: string[] = [];
  applyCors(compiled, decided, headers);
  return { kind: 'adds', why: `${origin} is allowed`, headers };
}
