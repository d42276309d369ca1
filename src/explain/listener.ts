import type { FilterChainJson, ListenerFilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { ChainFacts } from '../routing/filter-chain-match.ts';
import { parseIp } from '../routing/ip-range.ts';
import type { Entry } from './types.ts';
import type { ProxyView } from './view.ts';

/** What a client asks for, as far as listeners care. */
export interface Wanted {
  readonly host: string;
  readonly port: number;
  /** The port was written out, not the scheme's. */
  readonly portNamed: boolean;
  /** `undefined`: bytes of which nothing is known. */
  readonly http: 'HTTP/1.1' | 'HTTP/2' | undefined;
  readonly tls: boolean;
  readonly sni: string;
  readonly alpn: readonly string[];
  readonly sourceIp: string;
}

/** A connection at the listener that takes it. */
export interface Arrival {
  readonly listener: ListenerJson;
  /** How it got there, for people: a sentence without a full stop. */
  readonly how: string;
  readonly entry: Entry;
  /** Where it was meant to go (redirected), or arrived. */
  readonly localIp: string;
  readonly localPort: number;
}

/** `0.0.0.0`, 8080; a pipe has its path and port 0. */
export function listenerPlace(listener: ListenerJson): { ip: string; port: number } {
  const socket = listener.address?.socketAddress;
  if (socket !== undefined) return { ip: socket.address ?? '', port: Number(socket.portValue ?? 0) };
  return { ip: listener.address?.pipe?.path ?? '', port: 0 };
}

/** Whether clients can connect to it; others get redirected connections handed over. */
export function isBound(listener: ListenerJson): boolean {
  return listener.bindToPort !== false && listener.deprecatedV1?.bindToPort !== false;
}

export function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::' || ip === '';
}

const chainsOf = (listener: ListenerJson): FilterChainJson[] => [
  ...(listener.filterChains ?? []),
  ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain]),
];

/** The type of a packed message, without its URL. */
export function typeOf(any: unknown): string {
  return String((any as { '@type'?: unknown } | undefined)?.['@type'] ?? '').replace(/^.*\//, '');
}

const routeNames = (listener: ListenerJson): string[] =>
  chainsOf(listener).flatMap((chain) =>
    (chain.filters ?? []).flatMap((f) => {
      const rds = (f.typedConfig as { rds?: { routeConfigName?: string } } | undefined)?.rds?.routeConfigName;
      return rds === undefined ? [] : [rds];
    }),
  );

/** The explicit HTTP proxy: Istio and Fairlead route it by `http_proxy`. */
export function httpProxyListener(view: ProxyView): ListenerJson | undefined {
  return view.listeners.find((l) => isBound(l) && routeNames(l).includes('http_proxy'));
}

const handsOver = (listener: ListenerJson): boolean =>
  listener.useOriginalDst === true || (listener.listenerFilters ?? []).some((f) => f.name?.endsWith('original_dst') === true);

/** The listener that redirected connections arrive at. */
function captureListener(view: ProxyView, direction: 'OUTBOUND' | 'INBOUND'): ListenerJson | undefined {
  const name = direction === 'OUTBOUND' ? 'virtualOutbound' : 'virtualInbound';
  return (
    view.listeners.find((l) => l.name === name) ??
    view.listeners.find((l) => handsOver(l) && (l.trafficDirection ?? 'OUTBOUND') === direction && isBound(l))
  );
}

/** How a request gets to this proxy unless somebody says otherwise. */
export function defaultEntry(view: ProxyView, wanted: Wanted): Entry {
  if (isGateway(view)) return { kind: 'port', port: wanted.port };
  if (captureListener(view, 'OUTBOUND') !== undefined) return { kind: 'captured', port: wanted.port };
  if (httpProxyListener(view) !== undefined && wanted.http !== undefined) return { kind: 'http-proxy' };
  return { kind: 'port', port: wanted.port };
}

/** A proxy whose clients are not its own workload: without its type, one that captures nothing and is no HTTP proxy. */
export function isGateway(view: ProxyView): boolean {
  if (view.type !== undefined) return view.type === 'router';
  return captureListener(view, 'OUTBOUND') === undefined && httpProxyListener(view) === undefined;
}

/** What a gateway's privileged ports become, where the Service in front of it translates them (as Istio's own does). */
const TRANSLATED: ReadonlyMap<number, number> = new Map([
  [80, 8080],
  [443, 8443],
]);

/** Finds the listener that takes the connection; a sentence that says why there is none. */
export function arrive(view: ProxyView, wanted: Wanted, entry: Entry): Arrival | string {
  switch (entry.kind) {
    case 'http-proxy': {
      const listener = httpProxyListener(view);
      if (listener === undefined) return `${view.proxy} has no HTTP proxy port`;
      const { ip, port } = listenerPlace(listener);
      return { listener, entry, how: `the client uses the HTTP proxy at ${ip}:${port}`, localIp: ip, localPort: port };
    }
    case 'listener': {
      const listener = view.listeners.find((l) => l.name === entry.name);
      if (listener === undefined) return `there is no listener ${entry.name}`;
      const { ip, port } = listenerPlace(listener);
      const local = isBound(listener) || handsOver(listener) ? { ip, port } : { ip: isWildcard(ip) ? destination(view, wanted) : ip, port };
      return { listener, entry, how: 'as asked', localIp: local.ip, localPort: local.port };
    }
    case 'port':
      return atPort(view, wanted, entry);
    case 'captured':
      return captured(view, wanted, entry);
    case 'inbound': {
      const listener =
        captureListener(view, 'INBOUND') ??
        view.listeners.find((l) => l.trafficDirection === 'INBOUND' && listenerPlace(l).port === entry.port);
      if (listener === undefined) return `${view.proxy} has no inbound listener for port ${entry.port}`;
      return { listener, entry, how: `redirected on its way in to port ${entry.port}`, localIp: '', localPort: entry.port };
    }
  }
}

function atPort(view: ProxyView, wanted: Wanted, entry: Extract<Entry, { kind: 'port' }>): Arrival | string {
  const bound = view.listeners.filter(isBound);
  const at = (port: number): ListenerJson | undefined =>
    bound.find((l) => listenerPlace(l).port === port && (entry.address === undefined || listenerPlace(l).ip === entry.address));
  const direct = at(entry.port);
  const found = direct ?? at(TRANSLATED.get(entry.port) ?? 0) ?? (wanted.portNamed ? undefined : theOne(bound, wanted.tls));
  if (found === undefined) {
    const ports = [...new Set(bound.map((l) => listenerPlace(l).port))].sort((a, b) => a - b);
    return ports.length === 0
      ? `${view.proxy} listens nowhere`
      : `${isGateway(view) ? '' : `nothing redirects the connections of ${view.proxy}, and `}${view.proxy} does not listen on port ${entry.port}; it listens on ${ports.join(', ')}`;
  }
  const { ip, port } = listenerPlace(found);
  const how =
    found === direct
      ? `the client connects to port ${port}`
      : `port ${entry.port} is served by ${ip}:${port}, where the Service in front leads`;
  return { listener: found, entry, how, localIp: isWildcard(ip) ? '' : ip, localPort: port };
}

/** The only listener that fits a URL without a port: a load balancer may stand before it. */
function theOne(bound: readonly ListenerJson[], tls: boolean): ListenerJson | undefined {
  const fit = bound.filter((l) =>
    chainsOf(l).some((c) => (c.transportSocket !== undefined || (c.filterChainMatch?.serverNames ?? []).length > 0) === tls),
  );
  return fit.length === 1 ? fit[0] : undefined;
}

/** The address that a client of `host` would connect to; empty when nothing tells. */
function destination(view: ProxyView, wanted: Wanted): string {
  if (parseIp(wanted.host) !== undefined) return wanted.host;
  return view.locator?.addresses(wanted.host)[0] ?? virtualIp(view, wanted) ?? '';
}

/** Virtual hosts list a service's addresses beside its names. */
function virtualIp(view: ProxyView, { host, port }: Wanted): string | undefined {
  const names = new Set([host.toLowerCase(), `${host.toLowerCase()}:${port}`]);
  for (const config of view.routes)
    for (const { domains = [] } of config.virtualHosts ?? []) {
      if (!domains.some((d) => names.has(d))) continue;
      const ip = domains.find((d) => parseIp(d.replace(/^\[|\]$/g, '')) !== undefined);
      if (ip !== undefined) return ip.replace(/^\[|\]$/g, '');
    }
  return undefined;
}

/** Envoy: use_original_dst; the listener at the very address, else at every address of the port, else the capturing one itself. */
function captured(view: ProxyView, wanted: Wanted, entry: Extract<Entry, { kind: 'captured' }>): Arrival | string {
  const capture = captureListener(view, 'OUTBOUND');
  if (capture === undefined) return `${view.proxy} captures no outbound connections`;
  const ip = entry.address ?? destination(view, wanted);
  const own = view.listeners.filter((l) => l !== capture && l.trafficDirection !== 'INBOUND' && listenerPlace(l).port === entry.port);
  const exact = own.find((l) => listenerPlace(l).ip === ip && ip !== '');
  const listener =
    exact ?? (ip === '' ? byName(own, wanted.host) : undefined) ?? own.find((l) => isWildcard(listenerPlace(l).ip)) ?? capture;
  const to = `${ip === '' ? wanted.host : ip}:${entry.port}`;
  const known = listenerPlace(listener).ip;
  const localIp = ip === '' && !isWildcard(known) ? known : ip;
  const unknown = ip === '' ? ', whose address is not known here' : '';
  const how = `redirected on its way to ${to}${unknown}${listener === capture ? ', for which no listener was made' : ''}`;
  return { listener, entry, how, localIp, localPort: entry.port };
}

/** A service's own listener, known by the cluster that it leads to. */
function byName(listeners: readonly ListenerJson[], host: string): ListenerJson | undefined {
  const fits = (cluster: string): boolean => {
    const of = cluster.split('|')[3] ?? '';
    return of === host || of.startsWith(`${host}.`);
  };
  return listeners.find((l) =>
    chainsOf(l).some((c) =>
      (c.filters ?? []).some((f) => fits(String((f.typedConfig as { cluster?: unknown } | undefined)?.cluster ?? ''))),
    ),
  );
}

/** Whether a listener filter runs for a port (filter_disabled knows ports, and their combinations). */
function inspects(listener: ListenerJson, name: string, port: number): boolean {
  const filter = (listener.listenerFilters ?? []).find(
    (f) => f.name?.endsWith(name) === true || typeOf(f.typedConfig).toLowerCase().includes(name.replace('_', '')),
  );
  return filter !== undefined && !disabledAt(filter.filterDisabled, port);
}

function disabledAt(rule: ListenerFilterJson['filterDisabled'], port: number): boolean {
  if (rule === undefined) return false;
  if (rule.anyMatch === true) return true;
  if (rule.orMatch !== undefined) return (rule.orMatch.rules ?? []).some((r) => disabledAt(r, port));
  if (rule.andMatch !== undefined) return (rule.andMatch.rules ?? []).every((r) => disabledAt(r, port));
  if (rule.notMatch !== undefined) return !disabledAt(rule.notMatch, port);
  const { start = 0, end = 0 } = rule.destinationPortRange ?? {};
  return port >= start && port < end;
}

/** What the listener filters find out about the connection. */
export function factsOf(arrival: Arrival, wanted: Wanted): ChainFacts {
  const { listener, localIp, localPort } = arrival;
  const tls = wanted.tls && inspects(listener, 'tls_inspector', localPort);
  const sniffed = !wanted.tls && wanted.http !== undefined && inspects(listener, 'http_inspector', localPort);
  const applicationProtocols = tls ? wanted.alpn : sniffed ? [wanted.http === 'HTTP/2' ? 'h2c' : 'http/1.1'] : [];
  return {
    localIp,
    localPort,
    remoteIp: wanted.sourceIp,
    remotePort: 0,
    directRemoteIp: wanted.sourceIp,
    transportProtocol: tls ? 'tls' : 'raw_buffer',
    sni: tls ? wanted.sni.toLowerCase() : '',
    applicationProtocols,
  };
}
