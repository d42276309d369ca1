import type { PodSpec, PodTemplate } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import { labelSearch } from './selector.ts';

/** Something that runs: a Pod, or the template of a Deployment and its like that no Pod of the configuration was made from. */
export interface Workload {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly spec: PodSpec;
  readonly isPod: boolean;
}

const NO_PODS: PodSpec = { containers: [] };

/** A Pod as a workload. */
export function podWorkload(resource: Resource): Workload {
  const { namespace, name, labels, annotations } = resource.metadata;
  return { resource, namespace, name, labels, annotations, spec: (resource.spec as PodSpec) ?? NO_PODS, isPod: true };
}

/** What a Deployment or its like makes Pods from; undefined when it has no template. */
export function templateWorkload(resource: Resource): Workload | undefined {
  const spec = resource.spec as { template?: PodTemplate; jobTemplate?: { spec?: { template?: PodTemplate } } };
  const template = spec.template ?? spec.jobTemplate?.spec?.template;
  if (template === undefined) return undefined;
  const { namespace, name } = resource.metadata;
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  return { resource, namespace, name, labels, annotations, spec: template.spec ?? NO_PODS, isPod: false };
}

/** Pods, and the templates that none of the Pods carries all the labels of. Files mostly have templates, clusters have both. */
export function collectWorkloads(pods: readonly Resource[], controllers: readonly Resource[]): Workload[] {
  const workloads = pods.map(podWorkload);
  const search = labelSearch(pods.map(podWorkload));
  for (const resource of controllers) {
    const workload = templateWorkload(resource);
    if (workload !== undefined && search.select(workload.labels, workload.namespace).length === 0) workloads.push(workload);
  }
  return workloads;
}

/** The proxy's container has an image of its own: injected already, or written by hand. */
export function hasProxyContainer(spec: PodSpec, initToo: boolean): boolean {
  const isProxy = ({ name, image }: { name: string; image?: string }): boolean => name === 'istio-proxy' && (image ?? '') !== '';
  return (spec.containers ?? []).some(isProxy) || (initToo && (spec.initContainers ?? []).some(isProxy));
}
