/** Networks: endpoints of another one than the client's are behind gateways. https://istio.io/latest/docs/ops/deployment/deployment-models/#network-models */
import type { Resource } from '../config/resource.ts';
import { defaultNetwork } from './locality.ts';
import type { ResourceIndex } from './resource-index.ts';
import type { ProxyNode } from './types.ts';
import type { WorkloadSet } from './workload-set.ts';

/** Whether what is in a network can be called from a proxy at its own address. A network that nobody named is everywhere, as Istio has it. */
export function inReach({ network: from }: Pick<ProxyNode, 'network'>, { network: to }: { network: string }): boolean {
  return from === '' || to === '' || from === to;
}

/** The networks that endpoints are in, each with an object that is there. */
export function networksOf(index: ResourceIndex, workloads: WorkloadSet): ReadonlyMap<string, Resource> {
  const found = new Map<string, Resource>();
  const add = (network: string, resource: Resource | undefined): void => {
    if (network !== '' && resource !== undefined && !found.has(network)) found.set(network, resource);
  };
  for (const slice of index.everywhere('EndpointSlice')) add(defaultNetwork(slice), slice);
  for (const workload of workloads.everywhere()) add(workload.network, workload.resource);
  return found;
}
