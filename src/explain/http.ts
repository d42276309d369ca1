import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { withoutPort } from '../routing/domains.ts';
import { FAULT_ABORT_BODY } from '../routing/fault.ts';
import { finalizeResponse } from '../routing/finalize.ts';
import { grpcStatusOf, isGrpc } from '../routing/grpc.ts';
import { needsTls, virtualHostOf } from '../routing/match.ts';
import { redirectLocation } from '../routing/redirect.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { StreamInfo } from '../routing/stream-info.ts';
import type { CompiledVirtualHost, Decision, RouteDecision } from '../routing/types.ts';
import { type Branch, branchesOf } from './branches.ts';
import { admit, flatHeaders, type Incoming } from './connection-manager.ts';
import { failures } from './failures.ts';
import { type AbortShare, evaluateFilter, ROUTER } from './filters.ts';
import { type ForwardContext, forward, pairs } from './forward.ts';
import { typeOf } from './listener.ts';
import { hostMisses, routeMisses } from './near-misses.ts';
import { originOfMetadata } from './origin.ts';
import { percent } from './percent.ts';
import { prepareRoutes, routeConfigurationOf } from './routes.ts';
import { destinationSteps } from './steps.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';
import type { Delay, Outcome, Step } from './types.ts';

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
  const { config, leftOut } = prepareRoutes(json, request);
  for (const problem of leftOut) trace.unevaluated.push({ name: `route configuration ${json.name ?? ''}`, why: problem.message });
  const virtualHost = virtualHostOf(config, request);
  hostStep(trace, virtualHost, request, config.ignorePort, json.name ?? '');
  const branches = branchesOf(config, virtualHost, request);
  if (virtualHost === undefined) trace.nearMisses.push(...hostMisses(config.virtualHosts, request));
  else if (!needsTls(virtualHost, request)) trace.nearMisses.push(...routeMisses(config, json, request, branches[0]!.draw, view.locator));
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
  routeSteps(trace, branches, request);
  for (const branch of branches) explainBranch(trace, branch, request, context, json.name ?? '', branches.length > 1);
  return request;
}

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

function hostStep(
  trace: Trace,
  virtualHost: CompiledVirtualHost | undefined,
  request: RouteRequest,
  ignorePort: boolean,
  routes: string,
): void {
  const name = ignorePort ? withoutPort(request.host) : request.host;
  if (virtualHost === undefined) {
    addStep(trace, 'virtualHost', routes, `no virtual host of ${routes} is for ${name}`, { effect: 'stops' });
    return;
  }
  const domain = virtualHost.domains.find((d) => d.toLowerCase() === name) ?? virtualHost.domains.find((d) => d.includes('*')) ?? '';
  addStep(trace, 'virtualHost', virtualHost.name, `${name} is ${domain === name ? 'one of its names' : `taken by ${domain}`}`, {
    details: { routeConfiguration: routes, domain, field: virtualHost.field },
  });
}

/** One step for the route that takes the request; several when dice choose between routes. */
function routeSteps(trace: Trace, branches: readonly Branch[], request: RouteRequest): void {
  const seen = new Set<unknown>();
  for (const { decision } of branches) {
    const key = decision.route ?? decision;
    if (seen.has(key)) continue;
    seen.add(key);
    const { route } = decision;
    if (route === undefined) {
      if (decision.kind === 'redirect')
        addStep(trace, 'route', decision.virtualHost.name, 'only https is served: it redirects', { effect: 'stops' });
      else if (decision.virtualHost !== undefined)
        addStep(trace, 'route', decision.virtualHost.name, 'none of its routes matches', { effect: 'stops' });
      continue;
    }
    const conditions = [route.path, ...route.conditions];
    const share = branches.filter((b) => b.decision.route === route).reduce((n, b) => n + b.share, 0);
    const part = share < 0.999999 ? `, for ${percent(share)} of such requests` : '';
    addStep(
      trace,
      'route',
      route.name === '' ? route.field : route.name,
      `matches: ${conditions.map((c) => c.describe()).join(', ')}${part}`,
      {
        origin: originOfMetadata(route.json.metadata, trace.view.locator),
        details: { field: route.field, conditions: conditions.map((c) => `${c.describe()} (${c.actual(request)})`) },
      },
    );
    if (route.weighted !== undefined && branches.length > 1) {
      const { total } = route.weighted;
      addStep(trace, 'split', route.name === '' ? route.field : route.name, splitText(branches.filter((b) => b.decision.route === route)), {
        details: {
          total,
          clusters: route.weighted.choices.map((c) => `${c.decision.cluster ?? c.decision.clusterHeader ?? ''} ${c.weight}`),
        },
      });
    }
  }
}

const splitText = (branches: readonly Branch[]): string =>
  branches
    .map(
      (b) =>
        `${percent(b.share)} to ${b.decision.kind === 'route' ? (b.decision.cluster ?? 'the cluster that a header names') : b.decision.kind}`,
    )
    .join(', ');

/** One branch through the filters to its end. */
function explainBranch(
  trace: Trace,
  branch: Branch,
  request: RouteRequest,
  context: ForwardContext,
  routes: string,
  several: boolean,
): void {
  const { decision, share } = branch;
  const { hcm, view } = context;
  const route = decision.route;
  const origin = route && originOfMetadata(route.json.metadata, view.locator);
  const where = {
    routeConfiguration: routes,
    ...(decision.virtualHost !== undefined && { virtualHost: decision.virtualHost.name }),
    ...(route !== undefined && { route: route.name, routeField: route.field }),
    ...(origin !== undefined && { routeOrigin: origin }),
  };
  const nextId = (): string => String(trace.outcomes.length + 1);
  const push = (outcome: Outcome): void => void trace.outcomes.push({ ...outcome, id: nextId(), ...where });
  const refused = refusedUpgrade(decision, request, hcm);
  if (refused) {
    addStep(trace, 'action', route?.name ?? '', `${refused} is not allowed here`, { effect: 'stops' });
    push(endOutcome('rejected', `403: ${refused} is not allowed`, { share, status: 403, responseCodeDetails: 'upgrade_failed' }));
    return;
  }
  let delay: Delay | undefined;
  let aborts: AbortShare | undefined;
  const added: string[] = [];
  const id = several ? nextId() : undefined;
  for (const filter of hcm.httpFilters ?? []) {
    if (typeOf(filter.typedConfig) === ROUTER) break;
    const verdict = evaluateFilter(filter, decision, request, view.extensions);
    if (verdict.kind === 'neutral') continue;
    const name = filter.name ?? '';
    const say = (text: string, effect: Step['effect']): void => {
      if (!trace.steps.some((s) => s.kind === 'filter' && s.resource === name && s.decision === text))
        addStep(trace, 'filter', name, text, {
          effect,
          outcome: id,
          origin: verdict.kind === 'fault' || verdict.kind === 'answers' || verdict.kind === 'adds' ? origin : undefined,
        });
    };
    if (verdict.kind === 'unevaluated') {
      say(`not evaluated: ${verdict.why}`, 'unknown');
      if (!trace.unevaluated.some((u) => u.name === name)) trace.unevaluated.push({ name, why: verdict.why });
      addDependence(trace, 'unevaluated', `the filter ${name} is not evaluated; it is taken to let the request pass`);
    } else if (verdict.kind === 'answers') {
      say(verdict.why, 'stops');
      push(
        ownAnswer('direct-response', `${verdict.status}: ${verdict.why}`, request, decision, context, {
          share,
          status: verdict.status,
          details: verdict.details,
          headers: verdict.headers,
        }),
      );
      return;
    } else if (verdict.kind === 'fault') {
      say(verdict.why, verdict.abort?.share === 1 ? 'stops' : 'changes');
      delay = verdict.delay;
      aborts = verdict.abort;
      if ([delay, aborts].some((f) => f !== undefined && f.share > 0 && f.share < 1))
        addDependence(trace, 'chance', `${name} acts on a share of the requests`);
      if (delay?.share === 0) delay = undefined;
      if (aborts?.share === 1) break;
    } else {
      say(verdict.why, verdict.kind === 'adds' ? 'changes' : 'passes');
      if (verdict.kind === 'adds') added.push(...verdict.headers);
    }
  }
  const late = delay === undefined ? {} : { delay };
  if (aborts !== undefined && aborts.share > 0) {
    const { httpStatus, grpcStatus } = aborts;
    const what = httpStatus === undefined ? `gRPC status ${grpcStatus}` : String(httpStatus);
    const outcome = ownAnswer('aborted', `${what}: an injected fault`, request, decision, context, {
      share: share * aborts.share,
      status: httpStatus ?? 200,
      details: 'fault_filter_abort',
      flags: delay?.share === 1 ? 'DI,FI' : 'FI',
      body: FAULT_ABORT_BODY,
      grpcStatus,
    });
    push({ ...outcome, ...late });
  }
  const left = share * (1 - (aborts?.share ?? 0));
  if (left > 0) push({ ...end(trace, decision, request, context, left, added, id), ...late, ...(delay?.share === 1 && { flags: 'DI' }) });
}

/** Envoy answers upgrades that nothing allows with 403; CONNECT without a route with 404. */
function refusedUpgrade(decision: Decision, request: RouteRequest, hcm: HttpConnectionManagerJson): string | undefined {
  const type = request.method === 'CONNECT' ? 'connect' : undefined;
  if (type === undefined || decision.kind === 'not-found') return undefined;
  const general = (hcm.upgradeConfigs ?? []).some((u) => (u.upgradeType ?? '').toLowerCase() === type && u.enabled !== false);
  const own = decision.kind === 'route' ? decision.action.upgrades.get(type) : undefined;
  return (own ?? general) ? undefined : 'CONNECT';
}

/** Where the request ends once all filters let it pass: Envoy's router. */
function end(
  trace: Trace,
  decision: Decision,
  request: RouteRequest,
  context: ForwardContext,
  share: number,
  added: readonly string[],
  id: string | undefined,
): Outcome {
  switch (decision.kind) {
    case 'not-found': {
      const summary =
        decision.virtualHost === undefined
          ? `404: no virtual host is for ${request.authority}`
          : `404: no route of ${decision.virtualHost.name} matches`;
      return ownAnswer('no-route', summary, request, decision, context, { share, status: 404, details: 'route_not_found', flags: 'NR' });
    }
    case 'redirect': {
      const location = redirectLocation(decision, request);
      addStep(trace, 'action', decision.route?.name ?? '', `redirects to ${location}`, { effect: 'stops', outcome: id });
      const outcome = ownAnswer('redirect', `${decision.status} to ${location}`, request, decision, context, {
        share,
        status: decision.status,
        details: 'direct_response',
        headers: ['location', location],
      });
      return { ...outcome, location };
    }
    case 'direct-response': {
      const body = decision.body.toString('utf8');
      addStep(trace, 'action', decision.route.name, `answers ${decision.status} itself`, { effect: 'stops', outcome: id });
      return ownAnswer('direct-response', `${decision.status} from the proxy itself`, request, decision, context, {
        share,
        status: decision.status,
        details: 'direct_response',
        body,
      });
    }
    case 'route':
      return endUpstream(trace, decision, request, context, share, added, id);
  }
}

function endUpstream(
  trace: Trace,
  decision: RouteDecision,
  request: RouteRequest,
  context: ForwardContext,
  share: number,
  added: readonly string[],
  id: string | undefined,
): Outcome {
  const { cluster, destination, ...rest } = forward(decision, request, context);
  if (destination === undefined) {
    const status = decision.action.clusterNotFoundStatus;
    const which = cluster === '' ? `the header ${decision.clusterHeader} names no cluster` : `there is no cluster ${cluster}`;
    addStep(trace, 'cluster', cluster, which, { effect: 'stops', outcome: id });
    return ownAnswer('no-cluster', `${status}: ${which}`, request, decision, context, {
      share,
      status,
      details: 'cluster_not_found',
      flags: 'NC',
    });
  }
  destinationSteps(trace, destination, id, rest);
  const full = { ...rest, responseHeaders: [...rest.responseHeaders, ...pairs(added)], destination };
  const usable = destination.endpoints.some((e) => e.share > 0);
  const hosts = ['ORIGINAL_DST', 'DNS_ON_DEMAND'].includes(destination.discovery);
  if (!usable && !hosts && destination.endpointsKnown) {
    const type = destination.cluster === 'BlackHoleCluster' ? 'blackhole' : 'no-endpoints';
    const answer = ownAnswer(type, `503: ${destination.cluster} has no healthy endpoint`, request, decision, context, {
      share,
      status: 503,
      details: 'no_healthy_upstream',
      flags: 'UH',
      body: 'no healthy upstream',
    });
    return { ...answer, ...rest, responseHeaders: answer.responseHeaders, destination };
  }
  const passthrough = destination.discovery === 'ORIGINAL_DST';
  return endOutcome(
    passthrough ? 'passthrough' : 'forward',
    passthrough ? 'passed on to where the client wanted to go' : `forwarded to ${destination.cluster}`,
    {
      share,
      responseCodeDetails: 'via_upstream',
      ...full,
      mayBecome: failures(destination, rest),
    },
  );
}

/** An answer of the proxy's own, as the client gets it; for gRPC clients as gRPC. */
function ownAnswer(
  type: Outcome['type'],
  summary: string,
  request: RouteRequest,
  decision: Decision,
  context: ForwardContext,
  answer: {
    share: number;
    status: number;
    details: string;
    flags?: string;
    body?: string;
    headers?: readonly string[];
    grpcStatus?: number | undefined;
  },
): Outcome {
  const headers = [...(answer.headers ?? [])];
  if (decision.kind !== 'not-found') finalizeResponse(decision, headers, context.info);
  const grpc = isGrpc(request);
  const body = answer.body ?? '';
  if (grpc) headers.push('content-type', 'application/grpc');
  else if (body !== '' && !headers.includes('content-type')) headers.push('content-type', 'text/plain');
  return endOutcome(type, summary, {
    share: answer.share,
    status: grpc ? 200 : answer.status,
    ...(grpc ? { grpcStatus: answer.grpcStatus ?? grpcStatusOf(answer.status) } : body !== '' && { body }),
    responseHeaders: pairs(headers),
    flags: answer.flags ?? '-',
    responseCodeDetails: answer.details,
  });
}
