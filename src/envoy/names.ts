/**
 * The names that Istio's control plane gives to clusters, listeners, filter chains, route configurations and virtual hosts.
 * Tools (istioctl, dashboards, EnvoyFilter users) find things by them, so they are followed to the letter.
 */

export type Direction = 'outbound' | 'inbound';

/** `outbound|80|v1|reviews.default.svc.cluster.local`; `<port>` is the service's port outbound and the target port inbound. */
export function clusterName(direction: Direction, port: number, subset: string, host: string): string {
  return `${direction}|${port}|${subset}|${host}`;
}

/** The cluster of an AUTO_PASSTHROUGH gateway, also mesh mTLS' SNI: `outbound_.80_.v1_.host`. */
export function sniClusterName(port: number, subset: string, host: string): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

/** `inbound|8080||`: the host part is empty. */
export function inboundClusterName(targetPort: number): string {
  return `inbound|${targetPort}||`;
}

/** The parts of a name that `clusterName` made, or undefined for others (`PassthroughCluster`). */
export function parseClusterName(name: string): { direction: Direction; port: number; subset: string; host: string } | undefined {
  const parts = name.split('|');
  if (parts.length !== 4) return undefined;
  const [direction, port, subset, host] = parts as [string, string, string, string];
  if (direction !== 'outbound' && direction !== 'inbound') return undefined;
  return { direction, port: Number(port), subset, host };
}

/** Clusters that every proxy (gateways: only the black hole) has. */
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster';
export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster';
export const INBOUND_PASSTHROUGH_CLUSTER = 'InboundPassthroughCluster';
export const DYNAMIC_DNS_CLUSTER = 'AllowAnyDynamicDNSCluster';

/** The DNS cache that `AllowAnyDynamicDNSCluster` and its HTTP filter share. */
export const DYNAMIC_DNS_CACHE = 'allow_any_dfp_dns_cache';

/** Stat names end in this delimiter, which the bootstrap's stats tags look for. */
export const STAT_DELIMITER = ';';

export const VIRTUAL_OUTBOUND = 'virtualOutbound';
export const VIRTUAL_INBOUND = 'virtualInbound';
export const VIRTUAL_OUTBOUND_BLACK_HOLE = 'virtualOutbound-blackhole';
export const VIRTUAL_OUTBOUND_CATCH_ALL = 'virtualOutbound-catchall-tcp';
export const VIRTUAL_OUTBOUND_CATCH_ALL_HTTP = 'virtualOutbound-catchall-tcp-http';
export const VIRTUAL_INBOUND_BLACK_HOLE = 'virtualInbound-blackhole';
export const VIRTUAL_INBOUND_CATCH_ALL_HTTP = 'virtualInbound-catchall-http';
export const PASSTHROUGH_CHAIN = 'PassthroughFilterChain';

/** The route configuration of the explicit proxy listener. */
export const HTTP_PROXY_ROUTE = 'http_proxy';

/** Listeners and service chains: `0.0.0.0_80`, `10.96.0.1_9000`; a unix socket is its path. */
export function listenerName(bind: string, port: number): string {
  return port === 0 ? bind : `${bind}_${port}`;
}

/** The route configuration of a detected port whose listener has its own address. */
export function sniffedRouteName(host: string, port: number): string {
  return `${host}:${port}`;
}

/** A gateway's plain HTTP routes: `http.8080`, with `.<bind>` when a bind is set. `port` is the resolved one. */
export function gatewayHttpRouteName(port: number, bind: string | undefined): string {
  return bind ? `http.${port}.${bind}` : `http.${port}`;
}

/** A gateway's terminated HTTPS routes: `https.443.https.gw.ns`, with `.<bind>`. `port` is the declared one. */
export function gatewayHttpsRouteName(
  port: number,
  portName: string,
  gateway: string,
  namespace: string,
  bind: string | undefined,
): string {
  const name = `https.${port}.${portName}.${gateway}.${namespace}`;
  return bind ? `${name}.${bind}` : name;
}

/** Virtual hosts of services, VirtualService hosts and gateways: `<host>:<port>`. */
export function virtualHostName(host: string, port: number): string {
  return `${host}:${port}`;
}

/** Inbound virtual hosts; the port is the service's, 0 for unknown ports. */
export function inboundVirtualHostName(port: number): string {
  return `inbound|http|${port}`;
}

/** `outbound_<listener name>;`, `inbound_<chain name>;`. */
export function httpStatPrefix(direction: Direction, name: string): string {
  return `${direction}_${name}${STAT_DELIMITER}`;
}

export const ALLOW_ANY = 'allow_any';
export const BLOCK_ALL = 'block_all';
export const ALLOW_ANY_DYNAMIC_DNS = 'allow_any_dynamic_dns';
/** Fairlead's own: what names the listener itself, which Istio has no need for. */
export const OWN_ADDRESS = 'own_address';
export const DEFAULT_ROUTE = 'default';
