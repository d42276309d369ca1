/** The kinds of resources that are served, and how each is treated. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';

/** `about`: what an agent in a pod is told of its proxy besides Envoy's resources. */
export type ResourceKind = 'about' | 'secret' | 'cluster' | 'endpoint' | 'listener' | 'route';

export interface ResourceType {
  kind: ResourceKind;
  /** Full name of the message. */
  message: string;
  url: string;
  /** The field that names a resource. */
  nameField: 'name' | 'clusterName';
  /**
   * Clients may ask for all there are, and a state-of-the-world answer holds all that a client is to have: what it lacks is deleted.
   * Other types are asked for by name, and answered with what changed.
   */
  whole: boolean;
  /** The service with streams for this type alone, with its two methods; undefined for types that only the aggregated one has. */
  service: { name: string; sotw: string; delta: string } | undefined;
}

const type = (
  kind: ResourceKind,
  message: string,
  whole: boolean,
  service: [name: string, methods: string] | undefined,
  nameField: ResourceType['nameField'] = 'name',
): ResourceType => ({
  kind,
  message,
  url: `type.googleapis.com/${message}`,
  nameField,
  whole,
  service: service && { name: service[0], sotw: `Stream${service[1]}`, delta: `Delta${service[1]}` },
});

/** Make before break: the order in which a change travels. Secrets come first, for what uses them waits for them. */
export const RESOURCE_TYPES = {
  about: type('about', 'google.protobuf.Struct', false, undefined),
  secret: type('secret', 'envoy.extensions.transport_sockets.tls.v3.Secret', false, [
    'envoy.service.secret.v3.SecretDiscoveryService',
    'Secrets',
  ]),
  cluster: type('cluster', 'envoy.config.cluster.v3.Cluster', true, ['envoy.service.cluster.v3.ClusterDiscoveryService', 'Clusters']),
  endpoint: type(
    'endpoint',
    'envoy.config.endpoint.v3.ClusterLoadAssignment',
    false,
    ['envoy.service.endpoint.v3.EndpointDiscoveryService', 'Endpoints'],
    'clusterName',
  ),
  listener: type('listener', 'envoy.config.listener.v3.Listener', true, [
    'envoy.service.listener.v3.ListenerDiscoveryService',
    'Listeners',
  ]),
  route: type('route', 'envoy.config.route.v3.RouteConfiguration', false, ['envoy.service.route.v3.RouteDiscoveryService', 'Routes']),
} as const satisfies Record<ResourceKind, ResourceType>;

const byUrl = new Map<string, ResourceType>(Object.values(RESOURCE_TYPES).map((t) => [t.url, t]));

/** undefined for types that are not served: every resource of them is unknown. */
export function resourceTypeOf(url: string): ResourceType | undefined {
  return byUrl.get(url);
}

/** Under which name a cluster asks for its endpoints; undefined when it does not. */
export function endpointName(cluster: object): string | undefined {
  const { type: discovery, edsClusterConfig, name } = cluster as ClusterJson;
  return discovery === 'EDS' ? edsClusterConfig?.serviceName || name : undefined;
}
