import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { domainTaking, routesConsidered } from '../routing/explain-match.ts';
import { virtualHostOf } from '../routing/match.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { StreamInfo } from '../routing/stream-info.ts';
import { explainBranch } from './branch.ts';
import { type Branch, branchesOf } from './branches.ts';
import { admit, flatHeaders, type Incoming } from './connection-manager.ts';
import { ROUTER } from './filters.ts';
import type { ForwardContext } from './forward.ts';
import { typeOf } from './listener.ts';
import { hostMisses, routeMisses } from './near-misses.ts';
import { hostStep, routeSteps } from './route-steps.ts';
import { type PreparedRoutes, prepareRoutes, routeConfigurationOf } from './routes.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';

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
  const { request } = admission;
  noteNormalized(trace, hcm, incoming, request);
  if (typeof json === 'string') {
    addStep(trace, 'route', hcm.rds?.routeConfigName ?? '', json, { effect: 'unknown' });
    trace.unevaluated.push({ name: 'routes', why: json });
    trace.outcomes.push(endOutcome('unknown', json));
    return request;
  }
  const prepared = prepareRoutes(json, request);
  const { config } = prepared;
  const virtualHost = virtualHostOf(config, request);
  const branches = branchesOf(config, virtualHost, request, incoming.random);
  noteLeftOut(trace, prepared, branches);
  const domain = virtualHost && domainTaking(config, virtualHost, request);
  hostStep(trace, prepared, domain, request);
  if (virtualHost === undefined || domain === '*') trace.nearMisses.push(...hostMisses(prepared.virtualHosts, request));
  trace.nearMisses.push(...routeMisses(routesConsidered(virtualHost, request, branches[0]!.draw), prepared, request, view.locator));
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
  routeSteps(trace, prepared, branches, request);
  for (const branch of branches) explainBranch(trace, prepared, branch, request, context, branches.length > 1);
  return request;
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
