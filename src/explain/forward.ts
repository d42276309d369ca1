import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { applyAutoHostRewrite, finalizeRequest, finalizeResponse } from '../routing/finalize.ts';
import { hashOf } from '../routing/hash-policy.ts';
import { removeHeader, setHeader } from '../routing/header-mutation.ts';
import { clusterName } from '../routing/match.ts';
import { shadowAuthority } from '../routing/mirror.ts';
import { RouteRequest } from '../routing/request.ts';
import { RETRY_GRPC_ON, RETRY_ON } from '../routing/retry-on.ts';
import { RETRY_HEADERS, retryStateOf } from '../routing/retry-state.ts';
import type { StreamInfo } from '../routing/stream-info.ts';
import { timeoutsOf } from '../routing/timeouts.ts';
import type { RouteDecision } from '../routing/types.ts';
import { fromWire } from '../routing/wire-text.ts';
import { destinationOf } from './destination.ts';
import type { Destination, HeaderLine, Mirror, Outcome, Retries, UpstreamRequest } from './types.ts';
import { indexOf, type ProxyView } from './view.ts';

const STEERING = [...RETRY_HEADERS, 'x-envoy-upstream-rq-timeout-ms', 'x-envoy-expected-rq-timeout-ms'];

/** Flat lines as pairs, bytes as text where they are UTF-8. */
export function pairs(flat: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let i = 0; i < flat.length; i += 2) lines.push([flat[i]!, fromWire(flat[i + 1]!) ?? flat[i + 1]!]);
  return lines;
}

/** What is known of the request while header formats run. */
export interface ForwardContext {
  readonly view: ProxyView;
  readonly hcm: HttpConnectionManagerJson;
  readonly info: StreamInfo;
  /** As the client sent them, for comparison. */
  readonly sent: readonly string[];
  readonly suppressEnvoyHeaders: boolean;
  /** Addresses of the connection: what a missing cookie's value is made of. */
  readonly connection: string;
  /** Streams idle longer are ended; milliseconds, 0 for never. */
  readonly streamIdleTimeout: number;
}

export type Forwarding = Pick<Outcome, 'upstream' | 'timeouts' | 'retries' | 'mirrors' | 'hash' | 'responseHeaders'> & {
  readonly cluster: string;
  readonly destination: Destination | undefined;
};

/** The request that goes upstream, and everything that is laid down about its way; the order is that of the embedded proxy's router. */
export function forward(decision: RouteDecision, original: RouteRequest, context: ForwardContext): Forwarding {
  const { view, suppressEnvoyHeaders } = context;
  const { action } = decision;
  const cluster = clusterName(decision, original);
  const json = indexOf(view).cluster(cluster);
  const request = copyOf(original);
  const timeouts = timeoutsOf(decision, request);
  const retry = retryStateOf(decision, request);
  for (const name of STEERING) removeHeader(request.headers, name);
  const out = { path: request.path, authority: request.authority, headers: request.headers };
  finalizeRequest(decision, request, out, context.info, suppressEnvoyHeaders);
  if (decision.virtualHost.includeRequestAttemptCount) setHeader(out.headers, 'x-envoy-attempt-count', '1');
  if (timeouts.expected > 0 && !suppressEnvoyHeaders) setHeader(out.headers, 'x-envoy-expected-rq-timeout-ms', String(timeouts.expected));
  if (timeouts.grpcTimeout !== undefined) setHeader(out.headers, 'grpc-timeout', timeouts.grpcTimeout);
  const destination = json === undefined ? undefined : destinationOf(view, json, action.priority);
  if (action.autoHostRewrite) applyAutoHostRewrite(decision, out, hostnameOf(destination), suppressEnvoyHeaders);
  request.path = out.path;
  request.authority = out.authority;
  request.headersChanged();
  const hashed = action.hashPolicies.length === 0 ? undefined : hashOf(decision, request, context.connection);
  const responseHeaders: string[] = [];
  finalizeResponse(decision, responseHeaders, context.info);
  const policy = action.retry;
  const retries: Retries | undefined = retry && {
    attempts: retry.remaining,
    on: retryWords(policy?.retryOn ?? 0),
    statusCodes: policy?.statusCodes ?? [],
    perTryTimeout: timeouts.perTry,
    backOff: { base: policy?.baseInterval ?? 25, max: policy?.maxInterval ?? 250 },
    avoidsTriedHosts: policy?.avoidPreviousHosts ?? false,
  };
  const upstream: UpstreamRequest = {
    method: original.method,
    path: fromWire(out.path) ?? out.path,
    authority: fromWire(out.authority) ?? out.authority,
    headers: pairs(out.headers),
    changes: changesOf(context.sent, out.headers),
  };
  return {
    cluster,
    destination,
    upstream,
    timeouts: {
      total: timeouts.global,
      perTry: timeouts.perTry,
      perTryIdle: timeouts.perTryIdle,
      idle: timeouts.idle ?? context.streamIdleTimeout,
      maxStream: timeouts.maxStream ?? 0,
    },
    ...(retries !== undefined && { retries }),
    mirrors: mirrors(decision, original, out.authority),
    ...(hashed !== undefined && {
      hash: {
        policies: (action.json.hashPolicy ?? []).map(hashPolicyText),
        ...(hashed.hash !== undefined && { value: hashed.hash.toString(16).padStart(16, '0') }),
        setsCookie: hashed.setCookie.length > 0,
      },
    }),
    responseHeaders: pairs(responseHeaders),
  };
}

/** A request whose headers can be changed without changing the other's. */
export function copyOf(request: RouteRequest): RouteRequest {
  return new RouteRequest({
    method: request.method,
    scheme: request.scheme,
    forwardedProto: request.forwardedProto,
    authority: request.authority,
    path: request.path,
    headers: [...request.headers],
    remoteAddress: request.remoteAddress,
    internal: request.internal,
    ...(request.metadata !== undefined && { metadata: request.metadata }),
  });
}

/** The name that auto_host_rewrite takes: of hosts found by DNS. */
function hostnameOf(destination: Destination | undefined): string {
  const [only] = destination?.endpoints ?? [];
  if (only === undefined || !/DNS/.test(destination!.discovery)) return '';
  return only.address.replace(/:\d+$/, '');
}

function retryWords(bits: number): string[] {
  return Object.entries({ ...RETRY_ON, ...RETRY_GRPC_ON }).flatMap(([word, bit]) => ((bits & bit) !== 0 ? [word] : []));
}

function hashPolicyText(policy: NonNullable<RouteDecision['action']['json']['hashPolicy']>[number]): string {
  if (policy.header !== undefined) return `header ${policy.header.headerName}`;
  if (policy.cookie !== undefined) return `cookie ${policy.cookie.name}`;
  if (policy.queryParameter !== undefined) return `query parameter ${policy.queryParameter.name}`;
  return policy.connectionProperties !== undefined ? 'source IP' : 'filter state';
}

function mirrors(decision: RouteDecision, request: RouteRequest, authority: string): Mirror[] {
  return decision.action.mirrors.flatMap(({ cluster, clusterHeader, fraction, appendShadowSuffix }) => {
    const to = clusterHeader === undefined ? cluster : (request.firstHeader(clusterHeader) ?? '');
    if (to === '') return [];
    const share = fraction === undefined ? 1 : Math.min(1, fraction.numerator / fraction.denominator);
    return share === 0 ? [] : [{ cluster: to, share, authority: appendShadowSuffix ? shadowAuthority(authority) : authority }];
  });
}

/** `+name`, `-name`, `~name`: what became of the client's lines. */
function changesOf(sent: readonly string[], now: readonly string[]): string[] {
  const valuesOf = (flat: readonly string[]): Map<string, string> => {
    const values = new Map<string, string>();
    for (let i = 0; i < flat.length; i += 2) values.set(flat[i]!, `${values.get(flat[i]!) ?? ''}\n${flat[i + 1]}`);
    return values;
  };
  const before = valuesOf(sent);
  const after = valuesOf(now);
  return [
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `+${name}`),
    ...[...after.keys()].filter((name) => before.has(name) && before.get(name) !== after.get(name)).map((name) => `~${name}`),
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `-${name}`),
  ];
}
