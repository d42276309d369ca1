import type { ServiceEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { isIp, isLoopback } from './addresses.ts';
import { entryTargetPort } from './endpoints-entry.ts';
import { kubernetesTargetPort } from './endpoints-kubernetes.ts';
import { compareAge } from './order.ts';
import type { ServiceRegistry } from './service-registry.ts';
import type { Endpoint, ProxyScope, Service, ServicePort, Workload } from './types.ts';

/** What instances are computed from. */
export interface InstanceInputs {
  registry: ServiceRegistry;
  endpoints(service: Service, port: ServicePort): readonly Endpoint[];
  currentEntry(resource: Resource<ServiceEntry>): Resource<ServiceEntry>;
}

function targetPort(service: Service, port: ServicePort, workload: Workload): number | undefined {
  if (service.registry === 'Kubernetes') return kubernetesTargetPort(port, workload);
  return entryTargetPort(port, workload.kind === 'WorkloadEntry' ? workload.ports : undefined);
}

/** Services whose endpoints were written down with one of the workload's addresses. Loopback addresses do not tell workloads apart. */
function byAddress(workload: Workload, inputs: InstanceInputs): ProxyScope['instances'] {
  const addresses = new Set(workload.addresses.filter((a) => isIp(a) && !isLoopback(a)));
  if (addresses.size === 0) return [];
  const found: { service: Service; port: ServicePort; targetPort: number }[] = [];
  const candidates = [...inputs.registry.withoutSelector(workload.namespace), ...inputs.registry.withInlineEndpoints];
  for (const service of candidates) {
    const named = (part: Service): boolean => {
      const { endpoints = [] } = inputs.currentEntry(part.resource as Resource<ServiceEntry>).spec;
      return endpoints.some((e) => addresses.has(e.address ?? ''));
    };
    if (service.registry === 'External' && !inputs.registry.partsOf(service).some(named)) continue;
    for (const port of service.ports) {
      for (const endpoint of inputs.endpoints(service, port)) {
        // Other clusters may give the same addresses to other pods.
        if (addresses.has(endpoint.address) && !endpoint.resource.cluster?.remote) found.push({ service, port, targetPort: endpoint.port });
      }
    }
  }
  return found;
}

/** The services that a workload serves, with the port that it listens on: oldest service first, then by port. */
export function instancesOf(workload: Workload, inputs: InstanceInputs): ProxyScope['instances'] {
  const found: { service: Service; port: ServicePort; targetPort: number }[] = [];
  for (const service of inputs.registry.selecting(workload.namespace).selecting(workload.labels)) {
    for (const port of service.ports) {
      const number = targetPort(service, port, workload);
      if (number !== undefined) found.push({ service, port, targetPort: number });
    }
  }
  found.push(...byAddress(workload, inputs));
  return found.sort((a, b) => compareAge(a.service, b.service) || a.port.number - b.port.number || a.targetPort - b.targetPort);
}
