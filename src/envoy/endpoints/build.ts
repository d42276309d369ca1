import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Endpoint, Mesh, ProxyNode, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { clusterDiscovery } from '../clusters/discovery.ts';
import { effectivePolicy, withMeshDefaults } from '../clusters/effective-policy.ts';
import { clusterName, parseClusterName } from '../names.ts';
import { loadAssignment } from './load-assignment.ts';
import { localityPlan } from './locality-setting.ts';
import { selectEndpoints } from './select.ts';
import { parseSniClusterName } from './sni-cluster.ts';

/** What an assignment was made from. */
interface Made {
  /** While this is the mesh's, all but endpoints is as it was: services, rules, settings. */
  routingVersion: object;
  service: Service;
  port: ServicePort;
  all: readonly Endpoint[];
  assignment: ClusterLoadAssignmentJson;
}

/** The last assignments of each proxy by cluster: an endpoint change makes only those of its own service anew. */
const lastMade = new WeakMap<ProxyNode, Map<string, Made>>();

function madeFor(proxy: ProxyNode): Map<string, Made> {
  let made = lastMade.get(proxy);
  if (made === undefined) {
    made = new Map();
    lastMade.set(proxy, made);
  }
  return made;
}

/** The last assignment of a cluster, if nothing that it was made from has changed. */
function stillMade(made: Map<string, Made>, name: string, mesh: Mesh): ClusterLoadAssignmentJson | undefined {
  const last = made.get(name);
  return last?.routingVersion === mesh.routingVersion && mesh.endpoints(last.service, last.port) === last.all ? last.assignment : undefined;
}

function assignment(
  mesh: Mesh,
  scope: ProxyScope,
  of: { service: Service; port: ServicePort; subset: string; name: string; meshTlsOnly: boolean },
): ClusterLoadAssignmentJson {
  const { service, port, subset, name, meshTlsOnly } = of;
  const rule = scope.destinationRule(service);
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), mesh.config);
  const labels = subset ? rule?.spec.subsets?.find((s) => s.name === subset)?.labels : undefined;
  const endpoints = selectEndpoints(mesh, scope, service, port, { policy, labels, eds: true, meshTlsOnly });
  const fresh = loadAssignment(name, endpoints, scope.proxy, localityPlan(policy, service, mesh.config));
  madeFor(scope.proxy).set(name, {
    routingVersion: mesh.routingVersion,
    service,
    port,
    all: mesh.endpoints(service, port),
    assignment: fresh,
  });
  return fresh;
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
  const policy = effectivePolicy(scope.destinationRule(service), port, subset);
  if (clusterDiscovery(service, port, scope.proxy, policy) !== 'EDS') return undefined;
  const name = clusterName('outbound', port.number, subset, service.host);
  return stillMade(madeFor(scope.proxy), name, mesh) ?? assignment(mesh, scope, { service, port, subset, name, meshTlsOnly: false });
}

/** The load assignments of all EDS clusters in `clusters`, in their order. Those that nothing changed are the same objects as before. */
export function buildEndpoints(mesh: Mesh, scope: ProxyScope, clusters: readonly ClusterJson[]): ClusterLoadAssignmentJson[] {
  const made = madeFor(scope.proxy);
  const out: ClusterLoadAssignmentJson[] = [];
  for (const { type, name } of clusters) {
    if (type !== 'EDS' || name === undefined) continue;
    const last = stillMade(made, name, mesh);
    if (last) {
      out.push(last);
      continue;
    }
    const sni = parseSniClusterName(name);
    const parts = sni ?? parseClusterName(name);
    const service = parts && scope.serviceByHost(parts.host);
    const port = service?.ports.find((p) => p.number === parts?.port);
    // A cluster of this scope has its service in this scope; one that is gone gets the empty assignment that makes Envoy forget its hosts.
    out.push(
      parts && service && port
        ? assignment(mesh, scope, { service, port, subset: parts.subset, name, meshTlsOnly: sni !== undefined })
        : { clusterName: name },
    );
  }
  return out;
}
