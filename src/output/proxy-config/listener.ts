import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { Table } from '../table.ts';
import { describeInlineRoutes } from './inline-routes.ts';
import { byKeys } from './order.ts';

export interface ListenerFilters {
  address?: string | undefined;
  port?: number | undefined;
  /** HTTP, TCP, HTTP+TCP or UNKNOWN, in any case. */
  type?: string | undefined;
}

const httpFilter = 'envoy.filters.network.http_connection_manager';
const tcpFilter = 'envoy.filters.network.tcp_proxy';

/** The words that istioctl has for the lists of application protocols that Istio writes. */
const applications: Readonly<Record<string, string>> = {
  'http/1.0,http/1.1,h2c': 'HTTP',
  'istio-peer-exchange,istio': 'TCP TLS',
  'istio,istio-http/1.0,istio-http/1.1,istio-h2': 'Istio HTTP Plain',
  'http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2': 'HTTP TLS',
};

function addressesOf(listener: ListenerJson): string[] {
  return [listener.address, ...(listener.additionalAddresses ?? []).map((a) => a.address)].map(
    (a) => a?.socketAddress?.address ?? a?.pipe?.path ?? a?.envoyInternalAddress?.serverListenerName ?? '',
  );
}

const portOf = (listener: ListenerJson): number => listener.address?.socketAddress?.portValue ?? 0;

function chainsOf(listener: ListenerJson): FilterChainJson[] {
  return [...(listener.filterChains ?? []), ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
}

/** True for a tcp_proxy that leads somewhere: the one to the black hole closes every connection. */
function isOpenTcp(filter: FilterJson): boolean {
  return filter.name === tcpFilter && (filter.typedConfig as TcpProxyJson | undefined)?.cluster !== 'BlackHoleCluster';
}

/** What a listener speaks: HTTP, TCP, both, or UNKNOWN. */
export function listenerType(listener: ListenerJson): string {
  const filters = chainsOf(listener).flatMap((c) => c.filters ?? []);
  const http = filters.some((f) => f.name === httpFilter);
  const tcp = filters.some(isOpenTcp);
  if (http) return tcp ? 'HTTP+TCP' : 'HTTP';
  return tcp ? 'TCP' : 'UNKNOWN';
}

function describeChainMatch(chain: FilterChainJson): string {
  const match = chain.filterChainMatch ?? {};
  const parts: string[] = [];
  if (match.serverNames?.length) parts.push(`SNI: ${match.serverNames.join(',')}`);
  if (match.transportProtocol) parts.push(`Trans: ${match.transportProtocol}`);
  if (match.applicationProtocols?.length) {
    const list = match.applicationProtocols.join(',');
    parts.push(`App: ${applications[list] ?? list}`);
  }
  const port = match.destinationPort === undefined ? '' : `:${match.destinationPort}`;
  if (match.prefixRanges?.length)
    parts.push(`Addr: ${match.prefixRanges.map((p) => `${p.addressPrefix}/${p.prefixLen ?? 0}`).join(',')}${port}`);
  else if (port) parts.push(`Addr: *${port}`);
  return parts.join('; ') || 'ALL';
}

/** `Cluster: <name>`; Istio's fixed clusters, whose names say so, stand alone. */
export function describeCluster(name: string): string {
  return name.includes('Cluster') ? name : `Cluster: ${name}`;
}

function describeTcp(proxy: TcpProxyJson): string {
  const weighted = proxy.weightedClusters?.clusters?.map((c) => c.name ?? '');
  return weighted ? `Cluster: ${weighted.join(',')}` : describeCluster(proxy.cluster ?? '');
}

function describeDestination(chain: FilterChainJson): string {
  for (const filter of chain.filters ?? []) {
    if (filter.name === httpFilter) {
      const http = (filter.typedConfig ?? {}) as HttpConnectionManagerJson;
      if (http.routeConfig) return describeInlineRoutes(http.routeConfig);
      return http.rds?.routeConfigName ? `Route: ${http.rds.routeConfigName}` : 'HTTP';
    }
    if (isOpenTcp(filter)) return describeTcp((filter.typedConfig ?? {}) as TcpProxyJson);
  }
  return 'Non-HTTP/Non-TCP';
}

/** The listeners that pass the filters, by port, address and type. */
export function selectListeners(listeners: readonly ListenerJson[], filters: ListenerFilters = {}): ListenerJson[] {
  const { address, port, type } = filters;
  return listeners
    .filter(
      (l) =>
        (address === undefined || addressesOf(l).some((a) => a.toLowerCase() === address.toLowerCase())) &&
        (port === undefined || portOf(l) === port) &&
        (type === undefined || listenerType(l) === type.toUpperCase()),
    )
    .sort(byKeys(portOf, (l) => addressesOf(l).join(','), listenerType));
}

/** The table of `proxy-config all`, which names each listener. */
export function namedListenerTable(listeners: readonly ListenerJson[]): Table {
  const rows = selectListeners(listeners).flatMap((l) => listenerTable([l]).rows.map((row) => [`listener/${l.name ?? ''}`, ...row]));
  return { columns: ['NAME', 'ADDRESSES', 'PORT', 'MATCH', 'DESTINATION'], rows };
}

/** `proxy-config listener`: one row for each filter chain; `verbose: false` gives one for each listener. */
export function listenerTable(listeners: readonly ListenerJson[], filters: ListenerFilters = {}, verbose = true): Table {
  const selected = selectListeners(listeners, filters);
  if (!verbose) {
    return {
      columns: ['ADDRESSES', 'PORT', 'TYPE'],
      rows: selected.map((l) => [addressesOf(l).join(','), String(portOf(l)), listenerType(l)]),
    };
  }
  return {
    columns: ['ADDRESSES', 'PORT', 'MATCH', 'DESTINATION'],
    rows: selected.flatMap((l) =>
      chainsOf(l)
        .map((chain) => ({ match: describeChainMatch(chain), destination: describeDestination(chain) }))
        .sort((a, b) => (a.destination > b.destination ? -1 : a.destination < b.destination ? 1 : 0))
        .map(({ match, destination }) => [addressesOf(l).join(','), String(portOf(l)), match, destination]),
    ),
  };
}
