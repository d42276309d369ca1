import type {
  HttpConnectionManagerJson,
  HttpFilterJson,
} from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { domainTaking, routesConsidered } from '../routing/explain-match.ts';
import { virtualHostOf } from '../routing/match.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { StreamInfo } from '../routing/stream-info.ts';
import { explainBranch } from './branch.ts';
import { type Branch, branchesOf } from './branches.ts';
import { admit, flatHeaders, type Incoming } from './connection-manager.ts';
import { configured, ROUTER } from './filters.ts';
import { copyOf, type ForwardContext } from './forward.ts';
import { typeOf } from './listener.ts';
import { hostMisses, routeMisses } from './near-misses.ts';
import { hostStep, routeSteps } from './route-steps.ts';
import { type PreparedRoutes, prepareRoutes, routeConfigurationOf } from './routes.ts';
import { type GuardVerdict, guardState } from './security/guard.ts';
import { evaluateGuard } from './security/guards.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';
import type { ProxyView } from './view.ts';

/** What a connection manager does with one request, from its head to the request that goes upstream. */
export function explainHttp(trace: Trace, hcm: HttpConnectionManagerJson, incoming: Incoming, local: string): RouteRequest | undefined {
  const { view } = trace;
  const json = routeConfigurationOf(view, hcm);
  const internalOnly = typeof json === 'string' ? [] : (json.internalOnlyHeaders ?? []).map((name) => name.toLowerCase());
  const admission = admit(hcm, incoming, internalOnly);
  if (admission.kind === 'answered') {
    addStep(trace, 'request', hcm.statPrefix ?? '', `refuses the request: ${admission.why}`, { effect: 'stops' });
    const location = admission.location;
    trace.outcomes.push(
      endOutcome(location === undefined ? 'rejected' : 'redirect', `${admission.status}: ${admission.why}`, {
        status: admission.status,
        responseCodeDetails: admission.details,
        flags: admission.flags,
        ...(location !== undefined && { location, responseHeaders: [['location', location]] }),
      }),
    );
    return undefined;
  }
  const arrived = admission.request;
  const { request, routedBy, verdicts } = guarded(trace, hcm, incoming, arrived);
  noteNormalized(trace, hcm, incoming, arrived);
  if (typeof json === 'string') {
    addStep(trace, 'route', hcm.rds?.routeConfigName ?? '', json, { effect: 'unknown' });
    trace.unevaluated.push({ name: 'routes', why: json });
    trace.outcomes.push(endOutcome('unknown', json));
    return request;
  }
  const prepared = prepareRoutes(json, routedBy);
  const { config } = prepared;
  const virtualHost = virtualHostOf(config, routedBy);
  const branches = branchesOf(config, virtualHost, routedBy, incoming.random);
  noteLeftOut(trace, prepared, branches);
  const domain = virtualHost && domainTaking(config, virtualHost, routedBy);
  hostStep(trace, prepared, domain, routedBy);
  if (virtualHost === undefined || domain === '*') trace.nearMisses.push(...hostMisses(prepared.virtualHosts, routedBy));
  trace.nearMisses.push(...routeMisses(routesConsidered(virtualHost, routedBy, branches[0]!.draw), prepared, routedBy, view.locator));
  if (branches.length > 1) addDependence(trace, 'chance', 'weights or a share of the requests decide among several outcomes');
  const context: ForwardContext = {
    view,
    hcm,
    info: streamInfo(request, incoming, local),
    sent: flatHeaders(incoming.headers),
    suppressEnvoyHeaders: routerOf(hcm)?.suppressEnvoyHeaders === true,
    connection: `${incoming.remoteAddress}:0${local}`,
    streamIdleTimeout: seconds(hcm.streamIdleTimeout, 300_000),
  };
  routeSteps(trace, prepared, branches, routedBy);
  for (const branch of branches) explainBranch(trace, prepared, branch, request, context, branches.length > 1, verdicts);
  return request;
}

interface Guarded {
  /** As the filters leave it: tokens taken off, claims put on. */
  readonly request: RouteRequest;
  /** What routes are chosen by. */
  readonly routedBy: RouteRequest;
  readonly verdicts: ReadonlyMap<HttpFilterJson, GuardVerdict>;
}

/** Asks the filters that authenticate and authorize, in their order, up to the first that denies. */
function guarded(trace: Trace, hcm: HttpConnectionManagerJson, incoming: Incoming, arrived: RouteRequest): Guarded {
  const request = copyOf(arrived);
  const connection = { ...incoming.connection, remoteIp: arrived.remoteAddress || incoming.connection.remoteIp };
  const state = guardState(trace, connection, request, {});
  const verdicts = new Map<HttpFilterJson, GuardVerdict>();
  for (const given of hcm.httpFilters ?? []) {
    if (typeOf(given.typedConfig) === ROUTER) break;
    if (given.disabled === true) continue;
    const verdict = evaluateGuard(configured(given, trace.view.extensions), state);
    if (verdict === undefined) continue;
    verdicts.set(given, verdict);
    if (verdict.kind === 'denies') break;
  }
  if (trace.asked.claims !== undefined && (verdicts.size > 0 || readsClaims(hcm, trace.view))) trace.claimsRead = true;
  // Routes of another control plane may read claims that a filter of its own leaves.
  if (verdicts.size === 0) Object.assign(state.metadata, claimsMetadata(trace.asked.claims));
  trace.asked.claims = state.claims;
  const known = Object.keys(state.metadata).length > 0;
  if (known) request.metadata = state.metadata;
  if (known && verdicts.size === 0) arrived.metadata = state.metadata;
  request.headersChanged();
  return { request, routedBy: state.rematch ? request : arrived, verdicts };
}

/** Istio: what its routes and policies read of a token; `envoy.filters.http.jwt_authn` keeps the payload under the issuer. */
function claimsMetadata(claims: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  if (claims === undefined) return {};
  const issuer = typeof claims['iss'] === 'string' ? claims['iss'] : 'payload';
  return { 'envoy.filters.http.jwt_authn': { payload: claims, [issuer]: claims }, istio_authn: { request_auth: { claims } } };
}

/** Whether anything that serves the connection looks at a token's claims. */
function readsClaims(hcm: HttpConnectionManagerJson, view: ProxyView): boolean {
  if ((hcm.httpFilters ?? []).some((f) => /istio_authn/i.test(`${f.name} ${typeOf(f.typedConfig)}`))) return true;
  const routes = routeConfigurationOf(view, hcm);
  return (
    typeof routes !== 'string' &&
    (routes.virtualHosts ?? []).some((h) => (h.routes ?? []).some((r) => (r.match?.dynamicMetadata ?? []).length > 0))
  );
}

/** Fields that change nothing by themselves: the filter that reads them is named when it is there. */
const HARMLESS = /\.(?:rateLimits|includeVhRateLimits|tracing|earlyDataPolicy|hedgePolicy)$/;

/** What was left out and could have mattered: of the routes up to the one that is taken their matches, of that one everything. */
function noteLeftOut(trace: Trace, { config, leftOut, field }: PreparedRoutes, branches: readonly Branch[]): void {
  const taken = branches.map(({ decision }) =>
    decision.route === undefined ? Number.POSITIVE_INFINITY : routeIndex(decision.route.field),
  );
  for (const [i, { path = '', message }] of leftOut.entries()) {
    if (HARMLESS.test(path) || leftOut.findIndex((p) => p.path === path) < i) continue;
    const at = routeIndex(path);
    const isMatch = /\.routes\[\d+\]\.match/.test(path);
    if (at >= 0 && !(isMatch ? taken.some((t) => at < t) : taken.includes(at))) continue;
    const why = message.replace(`${path} is not supported: `, '').replace(`${path}: `, '');
    trace.unevaluated.push({ name: `${field(path)} of route configuration ${config.name}`, why });
  }
}

const routeIndex = (path: string): number => Number(/\.routes\[(\d+)\]/.exec(path)?.[1] ?? -1);

const seconds = (text: string | undefined, absent: number): number =>
  text === undefined ? absent : Math.round(Number.parseFloat(text) * 1000);

const routerOf = (hcm: HttpConnectionManagerJson): { suppressEnvoyHeaders?: boolean } | undefined =>
  (hcm.httpFilters ?? []).find((f) => typeOf(f.typedConfig) === ROUTER)?.typedConfig as { suppressEnvoyHeaders?: boolean } | undefined;

function streamInfo(request: RouteRequest, incoming: Incoming, local: string): StreamInfo {
  return {
    request,
    protocol: incoming.protocol,
    method: request.method,
    authority: request.authority,
    path: request.path,
    downstreamRemoteAddress: `${request.remoteAddress}:0`,
    downstreamDirectRemoteAddress: `${incoming.remoteAddress}:0`,
    downstreamLocalAddress: local,
  };
}

function noteNormalized(trace: Trace, hcm: HttpConnectionManagerJson, incoming: Incoming, request: RouteRequest): void {
  const changed = [
    ...(request.path !== incoming.path && incoming.path !== '' ? [`the path becomes ${request.path}`] : []),
    ...(request.authority !== incoming.authority ? [`the host becomes ${request.authority}`] : []),
  ];
  addStep(
    trace,
    'request',
    hcm.statPrefix ?? '',
    changed.length > 0 ? changed.join(', ') : `takes ${request.method} ${request.authority}${request.path}`,
    {
      effect: changed.length > 0 ? 'changes' : 'passes',
      details: { scheme: request.scheme, client: request.remoteAddress },
    },
  );
}
