/** What becomes of a request at the proxies in front of its destinations: they are explained by the same code as the first. */
import { endpointMetadata } from './endpoints.ts';
import { type Coming, passThrough } from './passage.ts';
import { certificateOf, identityText, isNamed, namesText } from './security/client.ts';
import { transportOf, type UpstreamTransport } from './security/upstream-tls.ts';
import { addDependence, addStep, endOutcome, newTrace, type Trace } from './trace.ts';
import type { EndpointCandidate, ExplainRequest, Outcome, Step, StepKind } from './types.ts';
import { indexOf, type Server } from './view.ts';

/** A gateway, another one, the destination's own proxy; more in a row would be a loop. */
const MOST_HOPS = 3;

/** Decisions of later proxies that are worth telling: the rest hands the request to the workload. */
const TOLD: ReadonlySet<StepKind> = new Set(['listener', 'filterChain', 'tls', 'request', 'filter']);

export interface Going {
  /** Of the client; undefined for connections. */
  readonly protocol: ExplainRequest['protocol'];
  /** The client's address, when it was said. */
  readonly sourceIp: string | undefined;
}

interface Group {
  readonly server: Server | 'no-proxy' | undefined;
  readonly transport: UpstreamTransport;
  readonly endpoints: EndpointCandidate[];
}

/** Takes the outcomes that lead to endpoints with a proxy of the mesh through that proxy; others stay as they are. */
export function goOnAtServers(trace: Trace, going: Going): void {
  const { mesh } = trace.view;
  if (mesh === undefined || trace.hops >= MOST_HOPS) return;
  const before = trace.outcomes.splice(0);
  const several = before.length > 1;
  for (const outcome of before) trace.outcomes.push(...ways(trace, outcome, going, several));
  trace.outcomes.forEach((outcome, i) => {
    if (trace.outcomes.findIndex((o) => o.id === outcome.id) < i)
      trace.outcomes[i] = { ...outcome, id: String(1 + Math.max(...trace.outcomes.map((o) => Number(o.id)))) };
  });
}

function ways(trace: Trace, outcome: Outcome, going: Going, several: boolean): Outcome[] {
  const { destination } = outcome;
  const groups = outcome.type === 'forward' && outcome.tunnel !== true ? groupsOf(trace, outcome) : [];
  if (destination === undefined || groups.every(staysAsItIs)) return [outcome];
  const total = groups.reduce((n, { endpoints }) => n + shareOf(endpoints), 0);
  if (groups.length > 1) addDependence(trace, 'chance', 'the endpoints are not alike: which one gets it decides');
  return groups.flatMap((group): Outcome[] => {
    const share = (outcome.share * shareOf(group.endpoints)) / total;
    const part = groups.length === 1 ? outcome : { ...outcome, share, destination: { ...destination, endpoints: group.endpoints } };
    if (staysAsItIs(group)) return [part];
    if (group.server === 'no-proxy') return [nobodyTakesTls(trace, part, several)];
    return atServer(trace, part, group.server as Server, group.transport, going, several);
  });
}

/** Without a proxy nothing is known of what the workload does; but mutual TLS of the mesh is nothing that workloads speak. */
const staysAsItIs = ({ server, transport }: Group): boolean =>
  server === undefined || (server === 'no-proxy' && (transport.kind === 'plain' || transport.shows !== 'workload'));

function nobodyTakesTls(trace: Trace, outcome: Outcome, several: boolean): Outcome {
  const { destination } = outcome;
  const where =
    destination?.endpoints
      .map((e) => e.workload ?? e.address)
      .slice(0, 3)
      .join(', ') ?? '';
  const why = `mutual TLS begins, but no proxy of the mesh takes it in front of ${where}`;
  addStep(trace, 'tls', destination?.cluster ?? '', `the handshake fails: ${why}`, {
    effect: 'stops',
    outcome: several ? outcome.id : undefined,
    origin: destination?.security?.origin,
  });
  return failed(outcome, { type: 'closed', summary: why }, 'UF');
}

const shareOf = (endpoints: readonly EndpointCandidate[]): number => endpoints.reduce((n, e) => n + e.share, 0);

function groupsOf(trace: Trace, { destination }: Outcome): Group[] {
  if (destination?.service === undefined || destination.port === undefined) return [];
  const { service, port } = destination;
  const cluster = indexOf(trace.view).cluster(destination.cluster);
  if (cluster === undefined) return [];
  const metadata = endpointMetadata(trace.view, cluster);
  const groups = new Map<string, Group>();
  for (const endpoint of destination.endpoints) {
    if (endpoint.share === 0) continue;
    const server = trace.view.mesh?.serverOf(service, port, endpoint.address);
    const transport = transportOf(cluster, metadata.get(endpoint.address) ?? {});
    const key = `${typeof server === 'object' ? server.alike : (server ?? '')} ${transport.match} ${transport.kind}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { server, transport, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return [...groups.values()];
}

function atServer(
  trace: Trace,
  outcome: Outcome,
  { view, entry }: Server,
  transport: UpstreamTransport,
  going: Going,
  several: boolean,
): Outcome[] {
  const own = trace.view.mesh!.own;
  const id = several ? outcome.id : undefined;
  const identity = view.mesh?.own.identity;
  const tls = transport.kind !== 'plain';
  if (tls && identity !== undefined && !isNamed(transport.names, certificateOf(identity))) {
    const who = identityText(certificateOf(identity));
    const why = `${view.proxy} is ${who}, and only ${namesText(transport.names)} is talked to`;
    addStep(trace, 'tls', outcome.destination!.cluster, `the handshake fails: ${why}`, {
      effect: 'stops',
      outcome: id,
      origin: outcome.destination?.security?.origin,
    });
    return [failed(outcome, { type: 'closed', summary: why }, 'UF')];
  }
  const inner = newTrace(view, entry.kind, { ...trace.asked }, trace.hops + 1);
  const passed = passThrough(inner, comingTo(outcome, entry, transport, going, own, trace.view.type));
  goOnAtServers(inner, { ...going, sourceIp: own.ip });
  take(trace, inner, id);
  return inner.outcomes.map((end): Outcome => {
    const share = outcome.share * end.share;
    if (end.type === 'forward' || end.type === 'passthrough') {
      const upstream = outcome.upstream && end.upstream && { ...end.upstream, changes: outcome.upstream.changes };
      const answeredBy = end.answeredBy;
      return {
        ...outcome,
        share,
        ...(upstream !== undefined && { upstream }),
        ...(end.policies !== undefined && { policies: [...(outcome.policies ?? []), ...end.policies] }),
        ...(answeredBy !== undefined && { answeredBy }),
      };
    }
    if (end.status === undefined || passed === undefined)
      return {
        ...failed(outcome, end, 'UC'),
        share,
        answeredBy: end.answeredBy ?? view.proxy,
        ...(end.policies && { policies: end.policies }),
      };
    const { routeConfiguration, virtualHost, route, routeField, routeOrigin, destination, upstream, timeouts, retries, mirrors } = outcome;
    return {
      ...end,
      id: outcome.id,
      share,
      answeredBy: end.answeredBy ?? view.proxy,
      mirrors,
      ...defined({ routeConfiguration, virtualHost, route, routeField, routeOrigin, destination, upstream, timeouts, retries }),
    };
  });
}

/** The other side closes the connection: a proxy answers 503 to its client. Connections just end. */
function failed(outcome: Outcome, { type, summary }: Pick<Outcome, 'type' | 'summary'>, flags: string): Outcome {
  const { mayBecome: _, responseHeaders: __, type: ___, summary: ____, ...rest } = outcome;
  const why = summary.replace(/^the connection is closed: /, '');
  if (outcome.upstream === undefined)
    return { ...rest, type, summary: `the connection is closed: ${why}`, flags, mayBecome: [], responseHeaders: [] };
  return endOutcome(type, `503: ${why}`, {
    ...rest,
    status: 503,
    flags,
    responseCodeDetails: 'upstream_reset_before_response_started',
    responseHeaders: [['content-type', 'text/plain']],
    mayBecome: [],
  });
}

type Defined<T> = { [K in keyof T]?: NonNullable<T[K]> };

function defined<T extends object>(of: T): Defined<T> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function comingTo(
  { destination, upstream }: Outcome,
  entry: Server['entry'],
  transport: UpstreamTransport,
  { protocol, sourceIp }: Going,
  own: { identity: Parameters<typeof certificateOf>[0]; ip: string },
  type: 'sidecar' | 'router' | undefined,
): Coming {
  const tls = transport.kind !== 'plain';
  const http2 = destination?.protocol === 'HTTP/2' || (destination?.protocol === 'as the client' && protocol === 'HTTP/2');
  const http = upstream === undefined ? undefined : http2 ? 'HTTP/2' : 'HTTP/1.1';
  const port = entry.kind === 'port' || entry.kind === 'inbound' ? entry.port : (destination?.port ?? 0);
  return {
    wanted: {
      host: (upstream?.authority ?? destination?.service ?? '').replace(/:\d+$/, ''),
      port,
      portNamed: true,
      http,
      tls,
      sni: transport.sni,
      alpn: transport.alpn,
      // What a sidecar's workload calls from is what its proxy calls from.
      sourceIp: type === 'router' ? own.ip : (sourceIp ?? own.ip),
    },
    entry,
    client: transport.shows === 'workload' ? certificateOf(own.identity) : transport.shows === 'other' ? certificateOf({}) : undefined,
    ...(upstream !== undefined && {
      http: {
        method: upstream.method,
        path: upstream.method === 'CONNECT' ? '' : upstream.path,
        authority: upstream.authority,
        headers: upstream.headers,
        protocol: http!,
        scheme: http2 ? (tls ? 'https' : 'http') : undefined,
      },
    }),
  };
}

/** Puts what another proxy decided behind the decisions of this one. */
function take(trace: Trace, inner: Trace, outcome: string | undefined): void {
  const { view } = inner;
  for (const { outcome: _, ...step } of inner.steps) {
    if (!TOLD.has(step.kind) && step.effect !== 'stops') continue;
    const taken: Step = { ...step, proxy: step.proxy ?? view.proxy, ...(outcome !== undefined && { outcome }) };
    trace.steps.push(taken);
  }
  trace.nearMisses.push(
    ...inner.nearMisses.filter((miss) => miss.kind === 'policy' && !trace.nearMisses.some((m) => m.message === miss.message)),
  );
  for (const note of inner.notes) if (!trace.notes.includes(note)) trace.notes.push(note);
  for (const one of inner.unevaluated)
    if (!trace.unevaluated.some((u) => u.name === one.name && u.why === one.why)) trace.unevaluated.push(one);
  for (const { on, why } of inner.dependsOn) addDependence(trace, on, why);
  if (inner.claimsRead) trace.claimsRead = true;
}
