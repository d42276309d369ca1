import type { Mesh, ProxyScope, Service } from '../mesh/types.ts';

/** True when something other than load assignments holds this service's endpoints. */
function isHeldElsewhere(service: Service, scope: ProxyScope): boolean {
  // A listener for each endpoint of a service without VIP; the hosts of DNS clusters are inside the clusters.
  if (service.resolution === 'passthrough') return service.addresses.length === 0 && scope.proxy.type === 'sidecar';
  return (service.resolution === 'dns' || service.resolution === 'dns-round-robin') && service.selector !== undefined;
}

/**
 * What of the mesh's endpoints goes into a proxy's listeners and clusters. While it stays equal, an endpoint change leaves both alone.
 */
export function endpointDependence(mesh: Mesh, scope: ProxyScope): string {
  const parts: unknown[] = scope.instances.map((i) => [i.service.host, i.port.number, i.targetPort]);
  const { workload, ...proxy } = scope.proxy;
  parts.push(proxy, workload.labels, workload.annotations, workload.addresses);
  for (const service of scope.services) {
    if (!isHeldElsewhere(service, scope)) continue;
    for (const port of service.ports) {
      for (const e of mesh.endpoints(service, port))
        parts.push([service.host, port.number, e.address, e.port, e.weight, e.labels, e.locality, e.tlsMode, e.serviceAccount]);
    }
  }
  return JSON.stringify(parts);
}
