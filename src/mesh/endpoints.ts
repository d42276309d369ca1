import type { EndpointSlice, Endpoints } from '../config/kinds/kubernetes.ts';
import type { ServiceEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { portOfPart } from './cluster-services.ts';
import { entryEndpoints } from './endpoints-entry.ts';
import { kubernetesEndpoints } from './endpoints-kubernetes.ts';
import { getOrMake } from './memo.ts';
import type { ServiceRegistry } from './service-registry.ts';
import type { Endpoint, Service, ServicePort } from './types.ts';
import type { WorkloadSet } from './workload-set.ts';
import type { Nodes } from './workloads.ts';

/** What endpoints are computed from. */
export interface EndpointInputs {
  nodes: Nodes;
  workloads: WorkloadSet;
  /** By `serviceKeyOf`, sorted by the slice's name. */
  slices: ReadonlyMap<string, readonly Resource<EndpointSlice>[]>;
  /** By `serviceKeyOf`. */
  endpointsObjects: ReadonlyMap<string, Resource<Endpoints>>;
  /** The newest version of a ServiceEntry that a service was made from. */
  currentEntry(resource: Resource<ServiceEntry>): Resource<ServiceEntry>;
}

/** Endpoints by service and port number; services here are those of the registry, before merging. */
export type EndpointCache = Map<Service, Map<number, readonly Endpoint[]>>;

/** Endpoints of one port of a service as its own resource declares it. */
export function endpointsOfPart(part: Service, port: ServicePort, inputs: EndpointInputs, cache: EndpointCache): readonly Endpoint[] {
  const ports = getOrMake(cache, part, () => new Map());
  let found = ports.get(port.number);
  if (found === undefined) {
    found = part.registry === 'Kubernetes' ? kubernetesEndpoints(part, port, inputs) : entryEndpoints(part, port, inputs);
    ports.set(port.number, found);
  }
  return found;
}

/** Endpoints of one port of a service, computed when first asked for. Aliases have none. */
export function endpointsOf(
  service: Service,
  port: ServicePort,
  from: { registry: ServiceRegistry; inputs: EndpointInputs; cache: EndpointCache },
): readonly Endpoint[] {
  if (service.resolution === 'alias') return [];
  const parts = from.registry.partsOf(service);
  let united: readonly Endpoint[] | undefined;
  for (const part of parts) {
    const own = portOfPart(part, port);
    if (own === undefined) continue;
    const found = endpointsOfPart(part, own, from.inputs, from.cache);
    // Only one name can be looked up in turns: the first that declares the port.
    if (service.resolution === 'dns-round-robin') return found;
    united = united === undefined ? found : [...united, ...found];
  }
  return united ?? [];
}
