import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { parseClusterName } from '../envoy/names.ts';
import { parseIp } from '../routing/ip-range.ts';
import type { CompiledRoute, Decision } from '../routing/types.ts';
import { listenerPlace, typeOf } from './listener.ts';
import { originOfMetadata } from './origin.ts';
import { compileLeniently, routeConfigurationOf } from './routes.ts';
import type { Origin } from './types.ts';
import type { ProxyView } from './view.ts';

/** Where a share of something leads. */
export interface ExposedDestination {
  readonly cluster: string;
  readonly service?: string;
  readonly port?: number;
  readonly subset?: string;
  /** 0 to 1. */
  readonly share: number;
}

/** One thing that can be asked of a proxy, and where it leads. */
export interface Exposure {
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP' | 'TLS';
  /** As configured: `shop.example.com`, `*`. */
  readonly host: string;
  /** `path starts with "/api"`, and every other condition. */
  readonly conditions: readonly string[];
  /** Its path condition in short: `/api*`, `/health`, `~ ^/v\d`. */
  readonly path: string;
  readonly route: string;
  readonly kind: 'forward' | 'redirect' | 'direct-response' | 'not-evaluated';
  /** For people: `301 https`, `403`. */
  readonly answer?: string;
  readonly destinations: readonly ExposedDestination[];
  readonly origin?: Origin;
}

/** Every host, port and path behind a proxy's listeners, in the order in which they are tried. */
export function exposuresOf(view: ProxyView): Exposure[] {
  return view.listeners.flatMap((listener) => {
    const chains = [...(listener.filterChains ?? []), ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain])];
    return chains.flatMap((chain) => exposuresOfChain(view, listener, chain));
  });
}

function exposuresOfChain(view: ProxyView, listener: ListenerJson, chain: FilterChainJson): Exposure[] {
  const { ip, port } = listenerPlace(listener);
  // A redirected connection is known by the port that it was meant for.
  const at = {
    listener: listener.name ?? '',
    address: port === 0 ? ip : `${ip}:${port}`,
    port: chain.filterChainMatch?.destinationPort ?? port,
  };
  const names = chain.filterChainMatch?.serverNames ?? [];
  const tls = chain.transportSocket !== undefined;
  return (chain.filters ?? []).flatMap((filter): Exposure[] => {
    const type = typeOf(filter.typedConfig);
    if (type.endsWith('.TcpProxy')) {
      const origin = originOfMetadata(chain.metadata, view.locator);
      return (names.length > 0 ? names : ['*']).map((host) => ({
        ...at,
        protocol: names.length > 0 || tls ? 'TLS' : 'TCP',
        host,
        conditions: [],
        path: '',
        route: chain.name ?? '',
        kind: 'forward',
        destinations: tcpDestinations(filter.typedConfig as TcpProxyJson),
        ...(origin !== undefined && { origin }),
      }));
    }
    if (!type.endsWith('.HttpConnectionManager')) return [];
    const config = routeConfigurationOf(view, filter.typedConfig as HttpConnectionManagerJson);
    if (typeof config === 'string') return [];
    return httpExposures(view, config).map((exposure) => ({ ...at, protocol: tls ? 'HTTPS' : 'HTTP', ...exposure }));
  });
}

/** One route of a virtual host, wherever its listener is. */
export type HttpExposure = Omit<Exposure, 'listener' | 'address' | 'port' | 'protocol'>;

const compiled = new WeakMap<RouteConfigurationJson, ReturnType<typeof compileLeniently>>();

function httpExposures(view: ProxyView, json: RouteConfigurationJson): HttpExposure[] {
  let routes = compiled.get(json);
  if (routes === undefined) {
    routes = compileLeniently(json);
    compiled.set(json, routes);
  }
  return routes.config.virtualHosts.flatMap((virtualHost) => {
    const hosts = shownHosts(virtualHost.domains);
    if (virtualHost.requireTls === 'ALL') {
      const all = {
        conditions: [],
        path: '/*',
        route: virtualHost.name,
        kind: 'redirect',
        answer: '301 to https',
        destinations: [],
      } as const;
      return hosts.map((host): HttpExposure => ({ ...all, host }));
    }
    return hosts.flatMap((host) => virtualHost.routes.map((route) => exposureOfRoute(view, host, route)));
  });
}

/** The names of a virtual host: not its ports, addresses and the short forms of longer names. */
function shownHosts(domains: readonly string[]): readonly string[] {
  const plain = [...new Set(domains.map((d) => d.replace(/:(?:\d+|\*)$/, '').replace(/\.$/, '')))];
  const names = plain.filter((d) => parseIp(d) === undefined && !plain.some((other) => other.startsWith(`${d}.`)));
  return names.length > 0 ? names : plain;
}

/** What a route asks for and where it leads. */
export function exposureOfRoute(view: ProxyView, host: string, route: CompiledRoute): HttpExposure {
  const { decision, weighted, fraction } = route;
  const origin = originOfMetadata(route.json.metadata, view.locator);
  const conditions = route.conditions.map((c) => c.describe());
  if (fraction !== undefined) conditions.push(`${fraction.numerator} of ${fraction.denominator} requests`);
  const base = { host, conditions, path: pathText(route), route: route.name, ...(origin !== undefined && { origin }) };
  const answer = answerOf(decision, route);
  if (answer !== undefined) return { ...base, kind: answer.kind, answer: answer.text, destinations: [] };
  const choices =
    weighted === undefined
      ? [{ decision, share: 1 }]
      : weighted.choices.map((c) => ({ decision: c.decision, share: c.weight / weighted.total }));
  return {
    ...base,
    kind: 'forward',
    destinations: choices.flatMap(({ decision: d, share }) =>
      d.kind === 'route' && share > 0 ? [destination(d.cluster ?? `header ${d.clusterHeader}`, share)] : [],
    ),
  };
}

function answerOf(decision: Decision, route: CompiledRoute): { kind: Exposure['kind']; text: string } | undefined {
  if (route.path.describe() === 'path is "\\u0000"') return { kind: 'not-evaluated', text: 'its match is not evaluated' };
  if (decision.kind === 'redirect') {
    const { redirect } = decision;
    if (redirect === 'tls') return { kind: 'redirect', text: `${decision.status} to https` };
    const scheme = redirect.scheme !== '' ? redirect.scheme : redirect.httpsRedirect ? 'https' : '';
    const to = `${scheme === '' ? '' : `${scheme}://`}${redirect.host}${redirect.port}${redirect.path}`;
    return { kind: 'redirect', text: `${decision.status} to ${to === '' ? 'another path' : to}` };
  }
  if (decision.kind === 'direct-response') return { kind: 'direct-response', text: `answers ${decision.status}` };
  return undefined;
}

/** Envoy's path specifiers in a few characters. */
function pathText({ json }: CompiledRoute): string {
  const { match = {} } = json;
  if (match.prefix !== undefined) return `${match.prefix}*`;
  if (match.pathSeparatedPrefix !== undefined) return `${match.pathSeparatedPrefix}/*`;
  if (match.path !== undefined) return match.path;
  if (match.safeRegex !== undefined) return `~ ${match.safeRegex.regex ?? ''}`;
  return match.connectMatcher !== undefined ? 'CONNECT' : '';
}

function tcpDestinations(config: TcpProxyJson): ExposedDestination[] {
  const clusters = (config.weightedClusters?.clusters ?? []).filter((c) => (c.weight ?? 0) > 0);
  if (clusters.length === 0) return [destination(config.cluster ?? '', 1)];
  const total = clusters.reduce((n, c) => n + (c.weight ?? 0), 0);
  return clusters.map((c) => destination(c.name ?? '', (c.weight ?? 0) / total));
}

function destination(cluster: string, share: number): ExposedDestination {
  const parsed = parseClusterName(cluster);
  if (parsed === undefined) return { cluster, share };
  return {
    cluster,
    ...(parsed.host !== '' && { service: parsed.host }),
    port: parsed.port,
    ...(parsed.subset !== '' && { subset: parsed.subset }),
    share,
  };
}
