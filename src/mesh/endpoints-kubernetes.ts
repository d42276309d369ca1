import type { EndpointSlice, Endpoints, KubernetesService, ObjectReference } from '../config/kinds/kubernetes.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import { isIp } from './addresses.ts';
import type { EndpointInputs } from './endpoints.ts';
import { labelOf } from './labels.ts';
import { clusterKey, defaultNetwork, withTopology } from './locality.ts';
import type { Endpoint, Locality, Service, ServicePort, Workload } from './types.ts';
import { workloadEndpoint } from './workload-endpoint.ts';
import { isHealthyEntry, nodeLocality, podReadiness } from './workloads.ts';

/** What an address of a slice or an Endpoints object says of itself. */
interface Address {
  address: string;
  health: Endpoint['health'];
  targetRef: ObjectReference | undefined;
  nodeName: string;
  /** What the slice says; counts where neither the pod nor the node says anything. */
  zone: string;
}

/** Sessions that stick to an endpoint may go on there while it terminates. */
function keepsDraining(service: Service): boolean {
  const { labels } = service.resource.metadata;
  return (
    labelOf(labels, 'istio.io/persistent-session') !== undefined || labelOf(labels, 'istio.io/persistent-session-header') !== undefined
  );
}

type Conditions = NonNullable<NonNullable<EndpointSlice['endpoints']>[number]['conditions']>;

/** undefined: not an endpoint at all. */
function sliceHealth(conditions: Conditions, service: Service): Endpoint['health'] | undefined {
  if (conditions.ready ?? true) return 'healthy';
  if (conditions.serving === true && conditions.terminating === true && keepsDraining(service)) return 'draining';
  return conditions.terminating === true ? undefined : 'unhealthy';
}

function saysNothing({ region, zone, subzone }: Locality): boolean {
  return region === '' && zone === '' && subzone === '';
}

function orZone(locality: Locality, zone: string): Locality {
  return zone !== '' && saysNothing(locality) ? { region: '', zone, subzone: '' } : locality;
}

function withZone(endpoint: Endpoint, zone: string): Endpoint {
  if (zone === '' || !saysNothing(endpoint.locality)) return endpoint;
  return { ...endpoint, locality: orZone(endpoint.locality, zone), labels: { ...endpoint.labels, 'topology.kubernetes.io/zone': zone } };
}

function addressEndpoint(from: Address, port: number, service: Service, resource: Resource, inputs: EndpointInputs): Endpoint {
  const { targetRef } = from;
  const cluster = remoteId(resource);
  // Without a reference a pod is known by its address.
  const pod =
    targetRef?.name === undefined
      ? inputs.workloads.podAt(from.address, cluster)
      : targetRef.kind === 'Pod'
        ? inputs.workloads.pod(targetRef.namespace || service.namespace, targetRef.name, cluster)
        : undefined;
  if (pod !== undefined) return withZone(workloadEndpoint(pod, { address: from.address, port, health: from.health, resource }), from.zone);
  const locality = orZone(nodeLocality(inputs.nodes, cluster, from.nodeName), from.zone);
  const network = defaultNetwork(resource);
  return {
    address: from.address,
    port,
    labels: withTopology({}, { locality, nodeName: from.nodeName, network, cluster: resource.cluster }),
    locality,
    weight: 1,
    health: from.health,
    workload: { name: '', namespace: service.namespace },
    serviceAccount: '',
    network,
    nodeName: from.nodeName,
    tlsMode: 'disabled',
    resource,
  };
}

function fromSlices(service: Service, port: ServicePort, slices: readonly Resource<EndpointSlice>[], inputs: EndpointInputs): Endpoint[] {
  const out = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.spec.addressType === 'FQDN') continue;
    // An endpoint belongs to the service's port of the same name.
    const number = slice.spec.ports?.find((p) => (p.name ?? '') === port.name && (p.protocol ?? 'TCP') !== 'UDP')?.port;
    if (number === undefined) continue;
    for (const { addresses = [], conditions = {}, targetRef, nodeName = '', zone = '' } of slice.spec.endpoints ?? []) {
      const health = sliceHealth(conditions, service);
      if (health === undefined) continue;
      for (const address of addresses) {
        const key = `${address} ${number}`;
        if (!out.has(key)) out.set(key, addressEndpoint({ address, health, targetRef, nodeName, zone }, number, service, slice, inputs));
      }
    }
  }
  return [...out.values()];
}

function fromEndpoints(service: Service, port: ServicePort, object: Resource<Endpoints>, inputs: EndpointInputs): Endpoint[] {
  const out: Endpoint[] = [];
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of object.spec.subsets ?? []) {
    const number = ports.find((p) => (p.name ?? '') === port.name && (p.protocol ?? 'TCP') !== 'UDP')?.port;
    if (number === undefined) continue;
    const add = (health: Endpoint['health'], list: typeof addresses): void => {
      for (const { ip, targetRef, nodeName = '' } of list) {
        out.push(addressEndpoint({ address: ip, health, targetRef, nodeName, zone: '' }, number, service, object, inputs));
      }
    };
    add('healthy', addresses);
    add('unhealthy', notReadyAddresses);
  }
  return out;
}

/** What a workload listens on for a Kubernetes Service's port, or undefined when it has no port of that name. */
export function kubernetesTargetPort(port: ServicePort, workload: Workload): number | undefined {
  if (workload.kind === 'WorkloadEntry') {
    const own = workload.ports[port.name] ?? (typeof port.targetPort === 'string' ? workload.ports[port.targetPort] : undefined);
    return own ?? (typeof port.targetPort === 'number' ? port.targetPort : undefined);
  }
  return typeof port.targetPort === 'number' ? port.targetPort : workload.ports[port.targetPort];
}

/** Files without slices: the pods that the selector picks, as Kubernetes' own controller would. */
function fromPods(service: Service, port: ServicePort, inputs: EndpointInputs): Endpoint[] {
  const spec = service.resource.spec as KubernetesService;
  const out: Endpoint[] = [];
  for (const pod of inputs.workloads.pods(service.namespace, remoteId(service.resource)).matching(service.selector ?? {})) {
    const readiness = podReadiness(pod);
    const number = kubernetesTargetPort(port, pod);
    if (readiness === 'gone' || number === undefined) continue;
    const healthy = readiness === 'ready' || spec.publishNotReadyAddresses === true;
    const address = pod.addresses[0] as string;
    out.push(
      workloadEndpoint(pod, { address, port: number, health: healthy ? 'healthy' : 'unhealthy', resource: pod.resource as Resource }),
    );
  }
  return out;
}

function fromEntries(service: Service, port: ServicePort, inputs: EndpointInputs): Endpoint[] {
  const out: Endpoint[] = [];
  for (const entry of inputs.workloads.entries(service.namespace, remoteId(service.resource)).matching(service.selector ?? {})) {
    const [address = ''] = entry.addresses;
    const number = kubernetesTargetPort(port, entry);
    if (number === undefined || !isIp(address) || !isHealthyEntry(entry)) continue;
    out.push(workloadEndpoint(entry, { address, port: number, health: 'unknown', resource: entry.resource as Resource }));
  }
  return out;
}

/** Endpoints of a Kubernetes Service's port in its own cluster: from its slices, else its Endpoints object, else its pods; then WorkloadEntries that it selects. */
export function kubernetesEndpoints(service: Service, port: ServicePort, inputs: EndpointInputs): Endpoint[] {
  const key = clusterKey(remoteId(service.resource), `${service.namespace}/${service.name}`);
  const slices = inputs.slices.get(key);
  const object = inputs.endpointsObjects.get(key);
  const found = slices
    ? fromSlices(service, port, slices, inputs)
    : object
      ? fromEndpoints(service, port, object, inputs)
      : service.selector
        ? fromPods(service, port, inputs)
        : [];
  return service.selector ? [...found, ...fromEntries(service, port, inputs)] : found;
}
