import type { Deployment, PodSpec } from '../config/kinds/kubernetes.ts';
import type { Resource } from '../config/resource.ts';
import type { WorkloadTemplate } from './types.ts';
import { containerPorts } from './workloads.ts';

/** Kinds that make pods. Without their pods they have no addresses, so they give no endpoints. */
export const TEMPLATE_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']);

/** What the pods of a Deployment or the like will be, addresses aside. */
export function workloadTemplate(resource: Resource<Deployment>): WorkloadTemplate {
  const { template } = resource.spec;
  const spec: Partial<PodSpec> = template?.spec ?? {};
  return {
    kind: resource.kind,
    name: resource.metadata.name,
    namespace: resource.metadata.namespace,
    labels: template?.metadata?.labels ?? {},
    annotations: template?.metadata?.annotations ?? {},
    serviceAccount: spec.serviceAccountName || spec.serviceAccount || 'default',
    ports: containerPorts(spec),
    resource,
  };
}
