import type { PodSpec, PodStatus } from '../config/kinds/kubernetes.ts';
import type { WorkloadEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import { labelOf } from './labels.ts';
import { clusterKey, defaultNetwork, localityOfLabels, localityOfNode, NO_LOCALITY, parseLocality } from './locality.ts';
import type { Locality, Workload } from './types.ts';
import { workloadNameOf } from './workload-names.ts';

/** Kubernetes Nodes by name, across clusters (`clusterKey`). */
export type Nodes = ReadonlyMap<string, Resource>;

/** Where a node is; the same object for every workload on it that says nothing else. */
export function nodeLocality(nodes: Nodes, cluster: string, nodeName: string): Locality {
  const node = nodes.get(clusterKey(cluster, nodeName));
  return node === undefined ? NO_LOCALITY : localityOfNode(node.metadata.labels);
}

/** The container ports of a pod by name; those without a name are not reachable by one. */
export function containerPorts(spec: Partial<PodSpec>): Record<string, number> {
  const ports: Record<string, number> = Object.create(null);
  for (const container of spec.containers ?? []) {
    for (const port of container.ports ?? []) {
      if (port.name !== undefined && (port.protocol ?? 'TCP') === 'TCP') ports[port.name] ??= port.containerPort;
    }
  }
  return ports;
}

/** A pod as a workload, whatever its phase: see `isServing` for whether it takes traffic. */
export function podWorkload(resource: Resource<PodSpec>, nodes: Nodes): Workload {
  const { metadata, spec } = resource;
  const status = (resource.status ?? {}) as PodStatus;
  const addresses = new Set([status.podIP ?? '', ...(status.podIPs ?? []).map((p) => p.ip ?? '')]);
  addresses.delete('');
  const nodeName = spec.nodeName ?? '';
  const own = localityOfLabels(metadata.labels);
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    kind: 'Pod',
    labels: metadata.labels,
    annotations: metadata.annotations,
    addresses: [...addresses],
    serviceAccount: spec.serviceAccountName || spec.serviceAccount || 'default',
    locality: own ?? nodeLocality(nodes, remoteId(resource), nodeName),
    network: labelOf(metadata.labels, 'topology.istio.io/network') ?? defaultNetwork(resource),
    nodeName,
    workloadName: workloadNameOf(metadata),
    ports: containerPorts(spec),
    resource,
    ...(resource.cluster && { cluster: resource.cluster }),
  };
}

/** A WorkloadEntry as a workload. Labels of its metadata beat `spec.labels`. */
export function entryWorkload(resource: Resource<WorkloadEntry>): Workload {
  const { metadata, spec } = resource;
  const labels = { ...spec.labels, ...metadata.labels };
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    kind: 'WorkloadEntry',
    labels,
    annotations: metadata.annotations,
    addresses: spec.address ? [spec.address] : [],
    serviceAccount: spec.serviceAccount ?? '',
    locality: spec.locality ? parseLocality(spec.locality) : (localityOfLabels(labels) ?? NO_LOCALITY),
    network: spec.network || (labelOf(labels, 'topology.istio.io/network') ?? defaultNetwork(resource)),
    nodeName: '',
    workloadName: metadata.name,
    ports: Object.assign(Object.create(null), spec.ports),
    resource,
    ...(resource.cluster && { cluster: resource.cluster }),
  };
}

/** What a pod's status says of its traffic: gone, not ready, or ready. A file without status counts as ready. */
export function podReadiness(workload: Workload): 'ready' | 'not-ready' | 'gone' {
  const status = (workload.resource?.status ?? {}) as PodStatus;
  if (workload.addresses.length === 0 || status.phase === 'Succeeded' || status.phase === 'Failed') return 'gone';
  const ready = status.conditions?.find((c) => c.type === 'Ready');
  return ready !== undefined && ready.status !== 'True' ? 'not-ready' : 'ready';
}

/**
 * Whether a WorkloadEntry takes traffic: one whose health is checked (annotation `proxy.istio.io/health-checks-enabled`) does so only
 * while its `Healthy` condition is true.
 */
export function isHealthyEntry(workload: Workload): boolean {
  if (labelOf(workload.annotations, 'proxy.istio.io/health-checks-enabled') !== 'true') return true;
  const status = (workload.resource?.status ?? {}) as PodStatus;
  return status.conditions?.some((c) => c.type === 'Healthy' && c.status === 'True') ?? false;
}

/** Whether a workload's endpoints speak mesh mTLS. Injection labels pods; an entry that has an identity is taken to have a proxy. */
export function tlsModeOf(labels: Readonly<Record<string, string>>, serviceAccountImplies: string): 'istio' | 'disabled' {
  const label = labelOf(labels, 'security.istio.io/tlsMode');
  if (label !== undefined) return label === 'istio' ? 'istio' : 'disabled';
  return serviceAccountImplies === '' ? 'disabled' : 'istio';
}
