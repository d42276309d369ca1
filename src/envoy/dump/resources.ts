/** The resources inside a dump's sections, unpacked: what tables and explanations read. */
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { type Dump, section } from './read-dump.ts';

/** An Any's message without its type. */
function unpack<T>(any: object | undefined): T[] {
  if (any === undefined) return [];
  const { '@type': _, ...message } = any as Record<string, unknown>;
  return [message as T];
}

/** Static listeners, and the dynamic ones that are active. */
export function listenersOf(dump: Dump): ListenerJson[] {
  const { staticListeners, dynamicListeners } = section(dump, 'listeners');
  return [
    ...(dynamicListeners ?? []).flatMap((l) => unpack<ListenerJson>(l.activeState?.listener)),
    ...(staticListeners ?? []).flatMap((l) => unpack<ListenerJson>(l.listener)),
  ];
}

/** Route configurations, dynamic and static (those that stand inside listeners). */
export function routesOf(dump: Dump): RouteConfigurationJson[] {
  const { staticRouteConfigs, dynamicRouteConfigs } = section(dump, 'routes');
  return [
    ...(dynamicRouteConfigs ?? []).flatMap((r) => unpack<RouteConfigurationJson>(r.routeConfig)),
    ...(staticRouteConfigs ?? []).flatMap((r) => unpack<RouteConfigurationJson>(r.routeConfig)),
  ];
}

/** Static clusters, and the dynamic ones that are active. */
export function clustersOf(dump: Dump): ClusterJson[] {
  const { staticClusters, dynamicActiveClusters } = section(dump, 'clusters');
  return [
    ...(dynamicActiveClusters ?? []).flatMap((c) => unpack<ClusterJson>(c.cluster)),
    ...(staticClusters ?? []).flatMap((c) => unpack<ClusterJson>(c.cluster)),
  ];
}

/** Load assignments, dynamic and static. */
export function endpointsOf(dump: Dump): ClusterLoadAssignmentJson[] {
  const { staticEndpointConfigs, dynamicEndpointConfigs } = section(dump, 'endpoints');
  return [
    ...(dynamicEndpointConfigs ?? []).flatMap((e) => unpack<ClusterLoadAssignmentJson>(e.endpointConfig)),
    ...(staticEndpointConfigs ?? []).flatMap((e) => unpack<ClusterLoadAssignmentJson>(e.endpointConfig)),
  ];
}

/** The bootstrap that the proxy was started with. */
export function bootstrapOf(dump: Dump): BootstrapJson {
  return section(dump, 'bootstrap').bootstrap ?? {};
}
