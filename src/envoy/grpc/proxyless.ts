/**
 * Envoy config as gRPC clients without a proxy take it (https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md, A28, A31,
 * A33, A44): a listener for each `host:port` that can be dialled as `xds:///host:port`, with the routes of that host alone.
 *
 * Everything is made from one object of the proxy's own config at a time, and kept with it: what did not change stays the same object.
 */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { typed } from '../any.ts';
import { grpcRoutes } from './routes.ts';

const ADS = { ads: {}, resourceApiVersion: 'V3' } as const;

interface Dialled {
  listeners: readonly ListenerJson[];
  route: RouteConfigurationJson;
}

const dialled = new WeakMap<VirtualHostJson, Dialled | null>();
const clusters = new WeakMap<ClusterJson, ClusterJson | null>();
const assignments = new WeakMap<ClusterLoadAssignmentJson, ClusterLoadAssignmentJson>();

/** Of the route configurations of outbound listeners: a listener for each name of each virtual host, and a route configuration for each virtual host. */
export function grpcDialling(routes: readonly RouteConfigurationJson[]): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const listeners = new Map<string, ListenerJson>();
  const configurations = new Map<string, RouteConfigurationJson>();
  for (const { virtualHosts = [] } of routes)
    for (const host of virtualHosts) {
      const made = once(dialled, host, dial);
      if (made === null || configurations.has(made.route.name!)) continue;
      configurations.set(made.route.name!, made.route);
      for (const listener of made.listeners) if (!listeners.has(listener.name!)) listeners.set(listener.name!, listener);
    }
  return { listeners: [...listeners.values()], routes: [...configurations.values()] };
}

/** Clusters that gRPC can use: of endpoints from EDS, without TLS that a client without a proxy has no certificates for. */
export function grpcClusters(list: readonly ClusterJson[]): ClusterJson[] {
  return list.flatMap((cluster) => once(clusters, cluster, grpcCluster) ?? []);
}

/** gRPC wants every group of endpoints to have a locality, and passes over those without a weight. */
export function grpcEndpoints(list: readonly ClusterLoadAssignmentJson[]): ClusterLoadAssignmentJson[] {
  return list.map((assignment) => once(assignments, assignment, grpcAssignment));
}

function once<K extends object, V>(memo: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  let made = memo.get(key);
  if (made === undefined) {
    made = make(key);
    memo.set(key, made);
  }
  return made;
}

function dial({ name = '', domains = [], routes = [], typedPerFilterConfig }: VirtualHostJson): Dialled | null {
  const port = /:(\d+)$/.exec(name)?.[1];
  if (port === undefined) return null;
  const names = domains.filter((d) => !d.includes('*')).map((d) => (d.endsWith(`:${port}`) ? d : `${d}:${port}`));
  const host: VirtualHostJson = { name, domains: ['*'], routes: grpcRoutes(routes) };
  const fault = typedPerFilterConfig?.[FAULT];
  return {
    listeners: [...new Set(names)].map((dialledAs) => ({ name: dialledAs, apiListener: { apiListener: connectionManager(name) } })),
    route: { name, virtualHosts: [fault ? { ...host, typedPerFilterConfig: { [FAULT]: fault } } : host] },
  };
}

const FAULT = 'envoy.filters.http.fault';

function connectionManager(route: string) {
  return typed<HttpConnectionManagerJson>('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    statPrefix: route,
    rds: { configSource: ADS, routeConfigName: route },
    httpFilters: [
      { name: FAULT, typedConfig: typed('envoy.extensions.filters.http.fault.v3.HTTPFault') },
      { name: 'envoy.filters.http.router', typedConfig: typed('envoy.extensions.filters.http.router.v3.Router') },
    ],
  });
}

function grpcCluster(cluster: ClusterJson): ClusterJson | null {
  const { name, type, edsClusterConfig, circuitBreakers, outlierDetection, metadata, lbPolicy, ringHashLbConfig, transportSocket } =
    cluster;
  if (type !== 'EDS' || transportSocket !== undefined) return null;
  return {
    name: name!,
    type,
    edsClusterConfig: { ...edsClusterConfig, edsConfig: ADS },
    // The only ones that every gRPC has.
    lbPolicy: lbPolicy === 'RING_HASH' ? lbPolicy : 'ROUND_ROBIN',
    ...(circuitBreakers && { circuitBreakers }),
    ...(outlierDetection && { outlierDetection }),
    ...(lbPolicy === 'RING_HASH' && ringHashLbConfig && { ringHashLbConfig }),
    ...(metadata && { metadata }),
  };
}

function grpcAssignment(assignment: ClusterLoadAssignmentJson): ClusterLoadAssignmentJson {
  if (!assignment.endpoints) return assignment;
  return {
    ...assignment,
    endpoints: assignment.endpoints.map((group) => ({
      ...group,
      locality: group.locality ?? {},
      loadBalancingWeight: group.loadBalancingWeight ?? group.lbEndpoints?.length ?? 1,
    })),
  };
}
