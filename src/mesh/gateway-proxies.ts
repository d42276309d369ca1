import { everyProxy } from './proxies.ts';
import type { Mesh, ProxyNode } from './types.ts';

/** The proxies of a mesh that Gateways select, one of each Deployment or the like: its pods are configured alike. */
export function gatewayProxies(mesh: Mesh): ProxyNode[] {
  const byOwner = new Map<string, ProxyNode>();
  for (const proxy of everyProxy(mesh)) {
    if (proxy.type !== 'router') continue;
    const owner = `${proxy.workload.workloadName || proxy.name}.${proxy.namespace}`;
    if (!byOwner.has(owner)) byOwner.set(owner, proxy);
  }
  return [...byOwner.values()];
}
