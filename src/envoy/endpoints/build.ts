import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { effectivePolicy, withMeshDefaults } from '../clusters/effective-policy.ts';
import { parseClusterName } from '../names.ts';
import { loadAssignment } from './load-assignment.ts';
import { localityPlan } from './locality-setting.ts';
import { selectEndpoints } from './select.ts';
import { parseSniClusterName } from './sni-cluster.ts';

/** What a load assignment is of. */
export interface AssignmentTarget {
  /** The cluster's. */
  name: string;
  service: Service;
  port: ServicePort;
  /** Empty for the whole service. */
  subset: string;
  /** For the cluster of an AUTO_PASSTHROUGH gateway. */
  meshTlsOnly: boolean;
}

/** What the load assignment of an EDS cluster is of; undefined when this scope has no such service. */
export function assignmentTarget(scope: ProxyScope, name: string): AssignmentTarget | undefined {
  const sni = parseSniClusterName(name);
  const parts = sni ?? parseClusterName(name);
  const service = parts && scope.serviceByHost(parts.host);
  const port = service?.ports.find((p) => p.number === parts?.port);
  return parts && service && port && { name, service, port, subset: parts.subset, meshTlsOnly: sni !== undefined };
}

/** The load assignment of an EDS cluster. One without endpoints has one too, without groups. */
export function assignmentOf(mesh: Mesh, scope: ProxyScope, target: AssignmentTarget): ClusterLoadAssignmentJson {
  const { service, port, subset, name, meshTlsOnly } = target;
  const rule = scope.destinationRule(service);
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), mesh.config);
  const labels = subset ? rule?.spec.subsets?.find((s) => s.name === subset)?.labels : undefined;
  const endpoints = selectEndpoints(mesh, scope, service, port, { policy, labels, eds: true, meshTlsOnly });
  return loadAssignment(name, endpoints, scope.proxy, localityPlan(policy, service, mesh.config));
}
