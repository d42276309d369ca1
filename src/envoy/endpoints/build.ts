import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { discoveryOf } from '../clusters/discovery.ts';
import { effectivePolicy, withMeshDefaults } from '../clusters/effective-policy.ts';
import { clusterName, parseClusterName } from '../names.ts';
import { loadAssignment } from './load-assignment.ts';
import { localityPlan } from './locality-setting.ts';
import { selectEndpoints } from './select.ts';
import { parseSniClusterName } from './sni-cluster.ts';

function assignment(
  mesh: Mesh,
  scope: ProxyScope,
  service: Service,
  port: ServicePort,
  subset: string,
  name: string,
  meshTlsOnly: boolean,
): ClusterLoadAssignmentJson {
  const rule = scope.destinationRule(service);
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), mesh.config);
  const labels = subset ? rule?.spec.subsets?.find((s) => s.name === subset)?.labels : undefined;
  const endpoints = selectEndpoints(mesh, scope, service, port, { policy, labels, eds: true, meshTlsOnly });
  return loadAssignment(name, endpoints, scope.proxy, localityPlan(policy, service, mesh.config));
}

/**
 * The load assignment of one outbound cluster, for when only that service's endpoints changed. An EDS cluster without endpoints
 * has one too, without groups; undefined when the hosts of this service do not come from EDS.
 *
 * @param subset empty for the whole service
 */
export function endpointsOf(
  mesh: Mesh,
  scope: ProxyScope,
  service: Service,
  port: ServicePort,
  subset = '',
): ClusterLoadAssignmentJson | undefined {
  if (discoveryOf(service, port, scope.proxy) !== 'EDS') return undefined;
  return assignment(mesh, scope, service, port, subset, clusterName('outbound', port.number, subset, service.host), false);
}

/** The load assignments of all EDS clusters in `clusters`, in their order. */
export function buildEndpoints(mesh: Mesh, scope: ProxyScope, clusters: readonly ClusterJson[]): ClusterLoadAssignmentJson[] {
  const out: ClusterLoadAssignmentJson[] = [];
  for (const cluster of clusters) {
    if (cluster.type !== 'EDS' || cluster.name === undefined) continue;
    const sni = parseSniClusterName(cluster.name);
    const parts = sni ?? parseClusterName(cluster.name);
    const service = parts && scope.serviceByHost(parts.host);
    const port = service?.ports.find((p) => p.number === parts?.port);
    // A cluster of this scope has its service in this scope; one that is gone gets the empty assignment that makes Envoy forget its hosts.
    out.push(
      parts && service && port
        ? assignment(mesh, scope, service, port, parts.subset, cluster.name, sni !== undefined)
        : { clusterName: cluster.name },
    );
  }
  return out;
}
