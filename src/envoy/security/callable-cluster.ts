import type { Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { outboundClusters } from '../clusters/outbound.ts';
import { clusterName } from '../names.ts';

/**
 * The cluster of a service's port, when the proxy itself can call it: not where there are no endpoints, nor where the address would come
 * from a client's connection or request.
 */
export function callableCluster(mesh: Mesh, scope: ProxyScope, service: Service, port: ServicePort): string | undefined {
  const name = clusterName('outbound', port.number, '', service.host);
  const cluster = outboundClusters(mesh, scope, service, port).find((c) => c.name === name);
  if (cluster === undefined || cluster.type === undefined || cluster.type === 'ORIGINAL_DST') return undefined;
  return name;
}
