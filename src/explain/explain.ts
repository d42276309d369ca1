import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type ChainMiss, chainMatchText, chooseChain } from './chains.ts';
import { pairs } from './forward.ts';
import { explainHttp } from './http.ts';
import { type Arrival, arrive, defaultEntry, factsOf, listenerPlace, typeOf, type Wanted } from './listener.ts';
import { originOfMetadata } from './origin.ts';
import { routeConfigurationOf } from './routes.ts';
import { explainTcpProxy } from './tcp.ts';
import { addDependence, addStep, endOutcome, newTrace, type Trace } from './trace.ts';
import type { ExplainConnection, ExplainRequest, Explanation, HeaderLine } from './types.ts';
import { type ParsedUrl, parseUrl } from './url.ts';
import type { ProxyView } from './view.ts';

/** Where a client is when nobody says. */
const HERE = '127.0.0.1';

/**
 * One request through the config that a proxy runs: every decision on its way, and how it can end. Pure.
 *
 * Throws RangeError for a URL that is none; `parseUrl` says what is wrong with it.
 */
export function explainRequest(view: ProxyView, request: ExplainRequest): Explanation {
  const url = parseUrl(request.url);
  if (typeof url === 'string') throw new RangeError(url);
  const tls = url.scheme === 'https';
  const { protocol = 'HTTP/1.1', sourceIp = HERE } = request;
  const wanted: Wanted = {
    host: url.host,
    port: url.port,
    portNamed: /:\d+$/.test(url.authority),
    http: protocol,
    tls,
    sni: request.sni ?? (tls && !/^[\d.]+$|:/.test(url.host) ? url.host : ''),
    alpn: request.alpn ?? ['h2', 'http/1.1'],
    sourceIp,
  };
  const entry = request.entry ?? defaultEntry(view, wanted);
  // An HTTP proxy never sees the TLS of its clients: it is asked for a tunnel (RFC 9110 9.3.6).
  const tunnel = tls && entry.kind === 'http-proxy';
  const trace = newTrace(view, entry.kind);
  const reached = reach(trace, tunnel ? { ...wanted, tls: false } : wanted, entry);
  if (reached === undefined) return conclude(trace, 'request', undefined, undefined);
  const { arrival, chain, facts } = reached;
  const filter = terminalOf(trace, chain);
  const local = `${arrival.localIp || listenerPlace(arrival.listener).ip}:${arrival.localPort}`;
  const connection = { arrival, chain, local, remote: sourceIp, sni: facts.sni, tls: facts.transportProtocol === 'tls' };
  if (filter?.kind === 'tcp') {
    explainTcpProxy(trace, filter.config, sourceIp);
    return conclude(trace, 'request', connection, undefined);
  }
  if (filter === undefined) {
    closed(trace, 'the filter chain has no filter that serves the connection');
    return conclude(trace, 'request', connection, undefined);
  }
  const terminates = chain.transportSocket !== undefined && /Tls/.test(typeOf(chain.transportSocket.typedConfig));
  if (!tunnel && terminates !== tls) {
    closed(
      trace,
      tls
        ? 'the client begins TLS, but this filter chain speaks plain HTTP'
        : 'the client speaks plain HTTP, but this filter chain wants TLS',
    );
    return conclude(trace, 'request', connection, undefined);
  }
  const method = tunnel ? 'CONNECT' : request.method;
  const routed = explainHttp(
    trace,
    filter.config,
    {
      method,
      path: tunnel ? '' : method === 'CONNECT' ? '' : url.path,
      authority: tunnel ? `${url.authority.replace(/:\d+$/, '')}:${url.port}` : authorityOf(request, url),
      headers: arrivingHeaders(request.headers ?? [], protocol),
      protocol,
      tls: tls && !tunnel,
      // HTTP/1.1 names it to proxies alone (RFC 9112 3.2.2), HTTP/2 always.
      scheme: tunnel || (entry.kind !== 'http-proxy' && protocol === 'HTTP/1.1') ? undefined : url.scheme,
      remoteAddress: sourceIp,
      localPort: arrival.localPort,
      metadata: claimsMetadata(request.jwtClaims),
      random: request.random,
    },
    local,
  );
  if (request.jwtClaims !== undefined && !readsClaims(filter.config, view))
    trace.notes.push('the claims change nothing: no filter and no route here reads them');
  return conclude(
    trace,
    'request',
    connection,
    routed && {
      method: routed.method,
      scheme: routed.scheme,
      authority: routed.authority,
      path: routed.path,
      headers: pairs(routed.headers),
    },
  );
}

/** Without Host; cookies that HTTP/2 splits are one line again (RFC 9113 8.2.3). */
function arrivingHeaders(headers: readonly HeaderLine[], protocol: 'HTTP/1.1' | 'HTTP/2'): HeaderLine[] {
  const isCookie = ([name]: HeaderLine): boolean => protocol === 'HTTP/2' && name.toLowerCase() === 'cookie';
  const cookies = headers.filter(isCookie).map(([, value]) => value);
  const rest = headers.filter((line) => !isCookie(line) && line[0].toLowerCase() !== 'host');
  return cookies.length === 0 ? rest : [...rest, ['cookie', cookies.join('; ')]];
}

/** One TCP connection likewise. */
export function explainConnection(view: ProxyView, connection: ExplainConnection): Explanation {
  const { host, port, sourceIp = HERE, sni } = connection;
  const wanted: Wanted = {
    host,
    port,
    portNamed: true,
    http: undefined,
    tls: sni !== undefined || connection.alpn !== undefined,
    sni: sni ?? '',
    alpn: connection.alpn ?? [],
    sourceIp,
  };
  const entry = connection.entry ?? defaultEntry(view, wanted);
  const trace = newTrace(view, entry.kind);
  const reached = reach(trace, wanted, entry);
  if (reached === undefined) return conclude(trace, 'connection', undefined, undefined);
  const { arrival, chain, facts } = reached;
  const filter = terminalOf(trace, chain);
  const local = `${arrival.localIp || listenerPlace(arrival.listener).ip}:${arrival.localPort}`;
  if (filter?.kind === 'tcp') explainTcpProxy(trace, filter.config, sourceIp);
  else if (filter?.kind === 'http') {
    addStep(trace, 'filterChain', chain.name ?? '', 'it serves HTTP: what happens depends on each request', { effect: 'unknown' });
    trace.outcomes.push(endOutcome('unknown', 'served as HTTP: ask with a method and a URL'));
    addDependence(trace, 'unevaluated', 'the connection is served as HTTP, request by request');
  } else closed(trace, 'the filter chain has no filter that serves the connection');
  return conclude(
    trace,
    'connection',
    { arrival, chain, local, remote: sourceIp, sni: facts.sni, tls: facts.transportProtocol === 'tls' },
    undefined,
  );
}

function authorityOf(request: ExplainRequest, url: ParsedUrl): string {
  const own = (request.headers ?? []).find(([name]) => name.toLowerCase() === 'host');
  return own?.[1] ?? url.authority;
}

/** Istio: what its routes and policies read of a token; `envoy.filters.http.jwt_authn` keeps the payload under the issuer. */
function claimsMetadata(claims: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> | undefined {
  if (claims === undefined) return undefined;
  const issuer = typeof claims['iss'] === 'string' ? claims['iss'] : 'payload';
  return { 'envoy.filters.http.jwt_authn': { payload: claims, [issuer]: claims }, istio_authn: { request_auth: { claims } } };
}

/** Whether anything that serves the connection looks at a token's claims. */
function readsClaims(hcm: HttpConnectionManagerJson, view: ProxyView): boolean {
  if ((hcm.httpFilters ?? []).some((f) => /jwt_authn|rbac|istio_authn/i.test(`${f.name} ${typeOf(f.typedConfig)}`))) return true;
  const routes = routeConfigurationOf(view, hcm);
  return (
    typeof routes !== 'string' &&
    (routes.virtualHosts ?? []).some((h) => (h.routes ?? []).some((r) => (r.match?.dynamicMetadata ?? []).length > 0))
  );
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

/** The filter that serves a chain's connections; those before it that nothing evaluates are noted. */
function terminalOf(trace: Trace, chain: FilterChainJson): Terminal | undefined {
  for (const filter of chain.filters ?? []) {
    const type = typeOf(filter.typedConfig);
    if (type.endsWith('.HttpConnectionManager')) return { kind: 'http', config: filter.typedConfig as HttpConnectionManagerJson };
    if (type.endsWith('.TcpProxy')) return { kind: 'tcp', config: filter.typedConfig! };
    const name = filter.name ?? type;
    if (NEUTRAL.test(name)) continue;
    const why = `explain does not know what ${type === '' ? 'it' : type.replace(/^.*\./, '')} does`;
    addStep(trace, 'filter', name, `not evaluated: ${why}`, { effect: 'unknown' });
    trace.unevaluated.push({ name, why });
    addDependence(trace, 'unevaluated', `the network filter ${name} is not evaluated; it is taken to let the connection pass`);
  }
  return undefined;
}

function closed(trace: Trace, why: string): void {
  addStep(trace, 'filterChain', '', why, { effect: 'stops' });
  trace.outcomes.push(endOutcome('closed', `the connection is closed: ${why}`));
}

interface Connection {
  arrival: Arrival;
  chain: FilterChainJson;
  local: string;
  remote: string;
  sni: string;
  tls: boolean;
}

function conclude(
  trace: Trace,
  kind: Explanation['kind'],
  connection: Connection | undefined,
  request: Explanation['request'],
): Explanation {
  const { view, steps, nearMisses, notes, unevaluated, dependsOn } = trace;
  const outcomes = [...trace.outcomes].sort((a, b) => b.share - a.share);
  if (unevaluated.length > 0 && !dependsOn.some((d) => d.on === 'unevaluated')) {
    for (const { name, why } of unevaluated) dependsOn.push({ on: 'unevaluated', why: `${name}: ${why}` });
  }
  return {
    version: 1,
    kind,
    proxy: view.proxy,
    ...(view.type !== undefined && { proxyType: view.type }),
    source: view.source,
    ...(request !== undefined && { request }),
    connection: {
      entry: trace.entry,
      listener: connection?.arrival.listener.name ?? '',
      filterChain: connection?.chain.name ?? '',
      localAddress: connection?.local ?? '',
      remoteAddress: connection?.remote ?? '',
      sni: connection?.sni ?? '',
      tls: connection?.tls ?? false,
    },
    steps,
    outcomes,
    nearMisses,
    notes,
    unevaluated,
    decidable: dependsOn.length === 0,
    dependsOn,
  };
}
