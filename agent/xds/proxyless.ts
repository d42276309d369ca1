/** What a gRPC client without a proxy (metadata GENERATOR: grpc, as in Istio) is to have: made of what its node's proxy is to have. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { EncodeMessage } from '../../src/envoy/encode.ts';
import { grpcClusters, grpcDialling, grpcEndpoints } from '../../src/envoy/grpc/proxyless.ts';
import { type Desired, type ResourceSet, setOf } from './desired.ts';

/** Sets that did not change give sets that did not change. */
const clusterSets = new WeakMap<ResourceSet, ResourceSet>();
const endpointSets = new WeakMap<ResourceSet, ResourceSet>();
const dialSets = new WeakMap<ResourceSet, { listener: ResourceSet; route: ResourceSet }>();

export function proxylessOf({ version, sets }: Desired, encode: EncodeMessage): Desired {
  const { about, cluster, endpoint, route, secret } = sets;
  const dialling = once(dialSets, route, () => {
    const made = grpcDialling(listOf<RouteConfigurationJson>(route));
    return { listener: setOf('listener', made.listeners, encode), route: setOf('route', made.routes, encode) };
  });
  return {
    version,
    sets: {
      about,
      secret,
      cluster: once(clusterSets, cluster, () => setOf('cluster', grpcClusters(listOf<ClusterJson>(cluster)), encode)),
      endpoint: once(endpointSets, endpoint, () => setOf('endpoint', grpcEndpoints(listOf<ClusterLoadAssignmentJson>(endpoint)), encode)),
      ...dialling,
    },
  };
}

function listOf<T>(set: ResourceSet): T[] {
  return Array.from(set.values(), (resource) => resource.json as T);
}

function once<V>(memo: WeakMap<ResourceSet, V>, key: ResourceSet, make: () => V): V {
  let made = memo.get(key);
  if (made === undefined) {
    made = make();
    memo.set(key, made);
  }
  return made;
}
