import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { DownstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { PeerCertificate } from '../routing/peer-certificate.ts';
import type { RouteRequest } from '../routing/request.ts';
import { type ChainMiss, chainMatchText, chooseChain } from './chains.ts';
import type { Incoming } from './connection-manager.ts';
import { explainHttp } from './http.ts';
import { type Arrival, arrive, factsOf, listenerPlace, typeOf, type Wanted } from './listener.ts';
import { originOfMetadata } from './origin.ts';
import { checkClient, identityText } from './security/client.ts';
import { guardState } from './security/guard.ts';
import { evaluateGuard } from './security/guards.ts';
import { tellGuard } from './security/tell-guard.ts';
import { explainTcpProxy } from './tcp.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';
import type { DecidingPolicy, Entry, Explanation } from './types.ts';

/** A connection that comes to a proxy, with the request on it. */
export interface Coming {
  readonly wanted: Wanted;
  readonly entry: Entry;
  /** What the client shows when it is asked. */
  readonly client: PeerCertificate | undefined;
  /** The request: absent for connections of which nothing else is known. */
  readonly http?: Omit<Incoming, 'remoteAddress' | 'localPort' | 'tls' | 'connection' | 'local'>;
}

/** A connection that got to a filter chain. */
export interface Passed {
  readonly arrival: Arrival;
  readonly chain: FilterChainJson;
  readonly local: string;
  readonly remote: string;
  readonly sni: string;
  readonly tls: boolean;
  readonly client: PeerCertificate | undefined;
  readonly request: RouteRequest | undefined;
}

const TLS = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const QUIC = 'envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport';

function tlsOf({ transportSocket: socket }: FilterChainJson): DownstreamTlsContextJson | undefined {
  const config = socket?.typedConfig;
  const type = typeOf(config);
  if (type === QUIC) return (config as { downstreamTlsContext?: DownstreamTlsContextJson }).downstreamTlsContext ?? {};
  return type === TLS ? (config as DownstreamTlsContextJson) : undefined;
}

/** Follows a connection through one proxy, to how it can end there. undefined: it got to no filter chain. */
export function passThrough(trace: Trace, coming: Coming): Passed | undefined {
  const { wanted, http } = coming;
  const reached = reach(trace, wanted, coming.entry);
  if (reached === undefined) return undefined;
  const { arrival, chain, facts } = reached;
  const { view } = trace;
  const local = `${arrival.localIp || listenerPlace(arrival.listener).ip}:${arrival.localPort}`;
  const context = tlsOf(chain);
  const passed = { arrival, chain, local, remote: wanted.sourceIp, sni: facts.sni, tls: facts.transportProtocol === 'tls' };
  const terminal = terminalOf(chain);
  const ends = (): Passed => ({ ...passed, client: undefined, request: undefined });
  if (terminal === undefined) {
    closed(trace, 'the filter chain has no filter that serves the connection');
    return ends();
  }
  // Bytes of TLS that nobody ends here are bytes like others.
  const mixed = terminal.kind === 'http' ? (context !== undefined) !== wanted.tls : context !== undefined && !wanted.tls;
  if (mixed) {
    closed(
      trace,
      wanted.tls
        ? 'the client begins TLS, but this filter chain speaks plain HTTP'
        : `the client speaks plain ${terminal.kind === 'http' ? 'HTTP' : 'text'}, but this filter chain wants TLS`,
    );
    return ends();
  }
  const checked = context === undefined ? { peer: undefined } : checkClient(context, coming.client);
  const mode = arrival.listener.trafficDirection === 'INBOUND' ? view.mesh?.own.mtls(arrival.localPort) : undefined;
  if ('refused' in checked) {
    addStep(trace, 'tls', chain.name ?? '', `the handshake fails: ${checked.refused}`, { effect: 'stops', origin: mode?.origin });
    refused(trace, `the connection is closed: ${checked.refused}`, mode);
    return ends();
  }
  const { peer } = checked;
  tlsStep(trace, chain, context !== undefined, peer, mode);
  const connection = {
    tls: context !== undefined,
    peer,
    directRemoteIp: wanted.sourceIp,
    sourceIp: wanted.sourceIp,
    remoteIp: wanted.sourceIp,
    destinationIp: arrival.localIp || (view.mesh?.own.ip ?? ''),
    destinationPort: arrival.localPort,
    sni: facts.sni,
  };
  const whole = { ...passed, client: peer };
  if (!networkFilters(trace, chain, connection)) return { ...whole, request: undefined };
  if (terminal.kind === 'tcp') {
    explainTcpProxy(trace, terminal.config, wanted.sourceIp);
    return { ...whole, request: undefined };
  }
  if (http === undefined) {
    addStep(trace, 'filterChain', chain.name ?? '', 'it serves HTTP: what happens depends on each request', { effect: 'unknown' });
    trace.outcomes.push(endOutcome('unknown', 'served as HTTP: ask with a method and a URL'));
    addDependence(trace, 'unevaluated', 'the connection is served as HTTP, request by request');
    return { ...whole, request: undefined };
  }
  const { sourceIp } = wanted;
  const incoming: Incoming = {
    ...http,
    tls: context !== undefined,
    remoteAddress: sourceIp,
    localPort: arrival.localPort,
    connection,
    ...(view.mesh && { local: view.mesh.own.identity }),
  };
  return { ...whole, request: explainHttp(trace, terminal.config, incoming, local) };
}

/** Says who the client is, where that can matter: at a workload, and where TLS ends. */
function tlsStep(
  trace: Trace,
  chain: FilterChainJson,
  tls: boolean,
  peer: PeerCertificate | undefined,
  mode: DecidingPolicy | undefined,
): void {
  if (!tls && mode === undefined) return;
  const text = tls
    ? peer === undefined
      ? 'TLS ends here; the client shows no certificate'
      : `mutual TLS: the client is ${identityText(peer)}`
    : mode!.action === 'DISABLE'
      ? 'plain text, as mutual TLS is switched off: nobody knows who the client is'
      : `plain text, which ${mode!.action} takes: nobody knows who the client is`;
  addStep(trace, 'tls', chain.name ?? '', text, {
    origin: mode?.origin,
    details: { mode: mode?.action ?? '', client: peer === undefined ? '' : identityText(peer), tls },
  });
}

/** Outcome of a connection that authentication refuses. */
function refused(trace: Trace, summary: string, mode: DecidingPolicy | undefined): void {
  trace.outcomes.push(endOutcome('denied', summary, { ...(mode !== undefined && mode.name !== '' && { policies: [mode] }) }));
}

interface Reached {
  arrival: Arrival;
  chain: FilterChainJson;
  facts: ReturnType<typeof factsOf>;
}

/** Listener and filter chain. */
function reach(trace: Trace, wanted: Wanted, entry: Parameters<typeof arrive>[2]): Reached | undefined {
  const { view } = trace;
  const arrival = arrive(view, wanted, entry);
  if (typeof arrival === 'string') {
    addStep(trace, 'listener', '', arrival, { effect: 'stops' });
    trace.outcomes.push(endOutcome('no-listener', 'no listener takes it: the client cannot connect'));
    return undefined;
  }
  const { listener, how } = arrival;
  const name = listener.name ?? '';
  const { ip, port } = listenerPlace(listener);
  addStep(trace, 'listener', name, how, {
    origin: originOfMetadata(listener.metadata, view.locator),
    details: { address: port === 0 ? ip : `${ip}:${port}`, direction: listener.trafficDirection ?? '' },
  });
  const facts = factsOf(arrival, wanted);
  const { chain, isDefault, misses } = chooseChain(listener, facts);
  if (chain === undefined) {
    if (refusesPlainText(trace, arrival, wanted, misses)) return undefined;
    addStep(trace, 'filterChain', name, 'no filter chain takes the connection', { effect: 'stops' });
    trace.nearMisses.push(...misses.map((miss) => chainNearMiss(trace, miss)));
    trace.outcomes.push(
      endOutcome('no-filter-chain', 'the connection is closed: no filter chain takes it', {
        flags: 'NR',
        responseCodeDetails: 'filter_chain_not_found',
      }),
    );
    return undefined;
  }
  if (isDefault) trace.nearMisses.push(...misses.map((miss) => chainNearMiss(trace, miss)).slice(0, 3));
  const match = chainMatchText(chain);
  const why = isDefault ? 'no other filter chain takes the connection' : match === '' ? 'takes every connection' : `is for ${match}`;
  addStep(trace, 'filterChain', chain.name ?? '', why, {
    origin: originOfMetadata(chain.metadata, view.locator),
    details: {
      match: JSON.stringify(chain.filterChainMatch ?? {}),
      sni: facts.sni,
      transport: facts.transportProtocol,
      applicationProtocols: [...facts.applicationProtocols],
    },
  });
  return { arrival, chain, facts };
}

function chainNearMiss(trace: Trace, miss: ChainMiss): Explanation['nearMisses'][number] {
  const origin = originOfMetadata(miss.chain.metadata, trace.view.locator);
  const name = miss.chain.name ?? '';
  return {
    kind: 'filterChain',
    resource: name,
    message: `filter chain ${name || `#${Number(/\d+/.exec(miss.field)?.[0] ?? 0) + 1}`} needs ${miss.expected}; the connection has ${miss.actual}`,
    field: miss.field,
    expected: miss.expected,
    actual: miss.actual,
    held: miss.held,
    decisive: false,
    ...(origin !== undefined && { origin }),
  };
}

type Terminal = { kind: 'http'; config: HttpConnectionManagerJson } | { kind: 'tcp'; config: NonNullable<FilterJson['typedConfig']> };

/** Network filters that only count or mark. */
const NEUTRAL =
  /^istio\.(?:metadata_exchange|stats)$|^envoy\.filters\.network\.(?:istio\.)?(?:metadata_exchange|mongo_proxy|mysql_proxy|redis_stats)$/;

/** The filter that serves a chain's connections. */
function terminalOf({ filters = [] }: FilterChainJson): Terminal | undefined {
  for (const { typedConfig } of filters) {
    const type = typeOf(typedConfig);
    if (type.endsWith('.HttpConnectionManager')) return { kind: 'http', config: typedConfig as HttpConnectionManagerJson };
    if (type.endsWith('.TcpProxy')) return { kind: 'tcp', config: typedConfig! };
  }
  return undefined;
}

/** The filters before the one that serves: those that guard, and those that nothing evaluates. False: the connection goes no further. */
function networkFilters(trace: Trace, chain: FilterChainJson, connection: Parameters<typeof guardState>[1]): boolean {
  const state = guardState(trace, connection, undefined, {});
  for (const filter of chain.filters ?? []) {
    const type = typeOf(filter.typedConfig);
    if (type.endsWith('.HttpConnectionManager') || type.endsWith('.TcpProxy')) return true;
    const name = filter.name ?? type;
    if (NEUTRAL.test(name)) continue;
    const verdict = evaluateGuard(filter, state);
    if (verdict !== undefined) {
      tellGuard(trace, name, verdict, undefined);
      if (verdict.kind !== 'denies') continue;
      const { policies, flags, details } = verdict;
      trace.outcomes.push(
        endOutcome('denied', `the connection is closed: ${verdict.why}`, {
          flags,
          responseCodeDetails: details,
          ...(policies !== undefined && { policies }),
        }),
      );
      return false;
    }
    const why = `explain does not know what ${type === '' ? 'it' : type.replace(/^.*\./, '')} does`;
    addStep(trace, 'filter', name, `not evaluated: ${why}`, { effect: 'unknown' });
    trace.unevaluated.push({ name, why });
    addDependence(trace, 'unevaluated', `the network filter ${name} is not evaluated; it is taken to let the connection pass`);
  }
  return true;
}

/** Plain text where only mutual TLS is taken: STRICT. Says so, and ends it. */
function refusesPlainText(trace: Trace, { listener, localPort }: Arrival, { tls }: Wanted, misses: readonly ChainMiss[]): boolean {
  if (tls || listener.trafficDirection !== 'INBOUND') return false;
  const mutual = misses.filter(
    ({ chain, field }) => field.endsWith('.transportProtocol') && tlsOf(chain)?.requireClientCertificate === true,
  );
  if (mutual.length === 0) return false;
  const mode = trace.view.mesh?.own.mtls(localPort);
  const why = `plain text is refused: port ${localPort} takes mutual TLS alone${mode === undefined ? '' : ` (${mode.action})`}`;
  addStep(trace, 'tls', listener.name ?? '', why, { effect: 'stops', origin: mode?.origin });
  refused(trace, `the connection is closed: ${why}`, mode);
  return true;
}

function closed(trace: Trace, why: string): void {
  addStep(trace, 'filterChain', '', why, { effect: 'stops' });
  trace.outcomes.push(endOutcome('closed', `the connection is closed: ${why}`));
}
