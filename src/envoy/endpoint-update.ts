import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Endpoint, Mesh, ProxyScope, Service, ServicePort } from '../mesh/types.ts';
import { buildEndpoints } from './endpoints/build.ts';
import { parseSniClusterName } from './endpoints/sni-cluster.ts';
import { parseClusterName } from './names.ts';
import { resourceHash } from './version.ts';

/** Where one load assignment came from. */
interface Origin {
  cluster: ClusterJson;
  service: Service | undefined;
  port: ServicePort | undefined;
  /** As the mesh had them: the same list while they do not change. */
  endpoints: readonly Endpoint[] | undefined;
}

/** Load assignments with what they were made from, so that the next ones need not all be made again. */
export interface TrackedEndpoints {
  list: readonly ClusterLoadAssignmentJson[];
  /** One for each of `list`, in its order. */
  origins: readonly Origin[];
}

function originOf(mesh: Mesh, scope: ProxyScope, cluster: ClusterJson): Origin {
  const parts = parseSniClusterName(cluster.name!) ?? parseClusterName(cluster.name!);
  const service = parts && scope.serviceByHost(parts.host);
  const port = service?.ports.find((p) => p.number === parts!.port);
  return { cluster, service, port, endpoints: service && port && mesh.endpoints(service, port) };
}

/** All load assignments of a proxy's clusters. */
export function trackedEndpoints(mesh: Mesh, scope: ProxyScope, clusters: readonly ClusterJson[]): TrackedEndpoints {
  const eds = clusters.filter((c) => c.type === 'EDS' && c.name !== undefined);
  return { list: buildEndpoints(mesh, scope, eds), origins: eds.map((cluster) => originOf(mesh, scope, cluster)) };
}

/**
 * The load assignments after an endpoint change: only those whose endpoints changed are made again, and what comes out the same stays
 * the same object. `mesh` is of the same routing as the one that `before` was made from.
 */
export function updateEndpoints(mesh: Mesh, scope: ProxyScope, before: TrackedEndpoints): TrackedEndpoints {
  let list: ClusterLoadAssignmentJson[] | undefined;
  const origins = before.origins.map((origin, i) => {
    const { service, port, cluster } = origin;
    if (service === undefined || port === undefined) return origin;
    const endpoints = mesh.endpoints(service, port);
    if (endpoints === origin.endpoints) return origin;
    const there = before.list[i]!;
    const now = buildEndpoints(mesh, scope, [cluster])[0]!;
    if (resourceHash(now) !== resourceHash(there)) {
      list ??= [...before.list];
      list[i] = now;
    }
    return { ...origin, endpoints };
  });
  return { list: list ?? before.list, origins };
}
