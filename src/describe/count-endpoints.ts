import { isSubset, type Labels } from '../mesh/labels.ts';
import type { Mesh, Service, ServicePort } from '../mesh/types.ts';
import type { EndpointCount } from './types.ts';

/** The endpoints of a port of a service, of a subset where labels are given. */
export function countEndpoints(mesh: Mesh, service: Service, port: ServicePort, labels: Labels = {}): EndpointCount {
  const count = { total: 0, usable: 0, unhealthy: 0, draining: 0 };
  for (const endpoint of mesh.endpoints(service, port)) {
    if (!isSubset(labels, endpoint.labels)) continue;
    count.total++;
    if (endpoint.health === 'unhealthy') count.unhealthy++;
    else if (endpoint.health === 'draining') count.draining++;
    else count.usable++;
  }
  return count.total === 0 && isPlanned(mesh, service, labels) ? { ...count, planned: true } : count;
}

function isPlanned(mesh: Mesh, { selector, namespace, registry }: Service, labels: Labels): boolean {
  if (selector === undefined || registry !== 'Kubernetes') return false;
  return mesh.workloadTemplates.some((t) => t.namespace === namespace && isSubset(selector, t.labels) && isSubset(labels, t.labels));
}
