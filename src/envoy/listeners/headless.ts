import { isIp } from '../../mesh/addresses.ts';
import { inReach } from '../../mesh/networks.ts';
import type { Service, ServicePort } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';

/**
 * The addresses that clients of a service without VIP connect to, each of which gets a listener of its own; the proxy's own are
 * left out, for calls to oneself do not come this way. undefined: nothing is known of its addresses, so it listens on all.
 */
export function headlessEndpoints({ mesh, proxy }: BuildContext, service: Service, port: ServicePort): string[] | undefined {
  if (service.resolution !== 'passthrough') return undefined;
  const endpoints = mesh.endpoints(service, port).filter((e) => inReach(proxy, e));
  // A Kubernetes service, or one with a selector, may have endpoints later; listening everywhere meanwhile would clash with others.
  if (endpoints.length === 0) return service.registry === 'Kubernetes' || service.selector !== undefined ? [] : undefined;
  return [...new Set(endpoints.map((e) => e.address))].filter((a) => isIp(a) && !proxy.ips.includes(a));
}
