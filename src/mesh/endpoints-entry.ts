import type { ServiceEntry, WorkloadEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { isIp } from './addresses.ts';
import type { EndpointInputs } from './endpoints.ts';
import { labelOf } from './labels.ts';
import { defaultNetwork, localityOfLabels, NO_LOCALITY, parseLocality, withTopology } from './locality.ts';
import type { Endpoint, Service, ServicePort, Workload } from './types.ts';
import { workloadEndpoint } from './workload-endpoint.ts';
import { isHealthyEntry, podReadiness, tlsModeOf } from './workloads.ts';

function isDns(service: Service): boolean {
  return service.resolution === 'dns' || service.resolution === 'dns-round-robin';
}

/** What a workload or inline endpoint listens on for a ServiceEntry's port. */
export function entryTargetPort(port: ServicePort, ports: Readonly<Record<string, number>> | undefined): number {
  const own = ports !== undefined && Object.hasOwn(ports, port.name) ? ports[port.name] : undefined;
  return own ?? (port.targetPort as number);
}

function inline(service: Service, port: ServicePort, index: number, resource: Resource<ServiceEntry>): Endpoint | undefined {
  const spec = resource.spec.endpoints?.[index] as WorkloadEntry;
  const address = spec.address ?? '';
  if (address === '') return undefined;
  const labels = spec.labels ?? {};
  const locality = spec.locality ? parseLocality(spec.locality) : (localityOfLabels(labels) ?? NO_LOCALITY);
  const network = spec.network || (labelOf(labels, 'topology.istio.io/network') ?? defaultNetwork(resource));
  return {
    address,
    port: address.startsWith('unix://') ? 0 : entryTargetPort(port, spec.ports),
    labels: withTopology(labels, { locality, nodeName: '', network, cluster: resource.cluster }),
    locality,
    weight: spec.weight || 1,
    health: 'unknown',
    workload: { name: `${resource.metadata.name}-${index}`, namespace: service.namespace },
    serviceAccount: spec.serviceAccount ?? '',
    network,
    nodeName: '',
    tlsMode: service.external ? 'disabled' : tlsModeOf(labels, spec.serviceAccount ?? ''),
    resource,
  };
}

/** DNS services without endpoints: the host itself is looked up. */
function implied(service: Service, port: ServicePort, resource: Resource): Endpoint {
  return {
    address: service.host,
    port: port.targetPort as number,
    labels: withTopology({}, { locality: NO_LOCALITY, nodeName: '', network: '', cluster: resource.cluster }),
    locality: NO_LOCALITY,
    weight: 1,
    health: 'unknown',
    workload: { name: resource.metadata.name, namespace: service.namespace },
    serviceAccount: '',
    network: '',
    nodeName: '',
    tlsMode: 'disabled',
    resource,
  };
}

/** The address by which a service uses a workload, or undefined when it does not. Names and sockets are for DNS services only. */
function usableAddress(workload: Workload, service: Service): string | undefined {
  const [address = ''] = workload.addresses;
  if (workload.kind === 'Pod') return podReadiness(workload) === 'ready' ? address : undefined;
  if (address === '' || !isHealthyEntry(workload)) return undefined;
  return isDns(service) || isIp(address) ? address : undefined;
}

function selected(service: Service, port: ServicePort, inputs: EndpointInputs): Endpoint[] {
  const selector = service.selector ?? {};
  const { workloads } = inputs;
  const out: Endpoint[] = [];
  for (const workload of [
    ...workloads.pods(service.namespace).matching(selector),
    ...workloads.entries(service.namespace).matching(selector),
  ]) {
    const address = usableAddress(workload, service);
    if (address === undefined) continue;
    const number = address.startsWith('unix://') ? 0 : entryTargetPort(port, workload.kind === 'Pod' ? undefined : workload.ports);
    const endpoint = workloadEndpoint(workload, { address, port: number, health: 'unknown', resource: workload.resource as Resource });
    out.push(service.external ? { ...endpoint, tlsMode: 'disabled' } : endpoint);
  }
  return out;
}

/** Endpoints of a ServiceEntry's port: the workloads that it selects, else its own, else (DNS) its host. */
export function entryEndpoints(service: Service, port: ServicePort, inputs: EndpointInputs): Endpoint[] {
  if (service.resolution === 'passthrough' || service.resolution === 'dynamic-dns') return [];
  if (service.selector !== undefined) return selected(service, port, inputs);
  const resource = inputs.currentEntry(service.resource as Resource<ServiceEntry>);
  const { endpoints = [] } = resource.spec;
  if (endpoints.length === 0) return isDns(service) && !service.host.startsWith('*') ? [implied(service, port, resource)] : [];
  const count = service.resolution === 'dns-round-robin' ? 1 : endpoints.length;
  const out: Endpoint[] = [];
  for (let index = 0; index < count; index++) {
    const endpoint = inline(service, port, index, resource);
    if (endpoint !== undefined) out.push(endpoint);
  }
  return out;
}
