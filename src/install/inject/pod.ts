/** Pods and templates of pods as they come: with all their fields, declared here or not. */

export interface Meta {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string> | null;
  annotations?: Record<string, string> | null;
  [field: string]: unknown;
}

export interface ContainerJson {
  name: string;
  image?: string;
  env?: readonly { name: string; [field: string]: unknown }[] | null;
  ports?: readonly { containerPort?: number; [field: string]: unknown }[] | null;
  volumeMounts?: readonly { mountPath: string; [field: string]: unknown }[] | null;
  [field: string]: unknown;
}

export interface PodSpecJson {
  containers?: readonly ContainerJson[] | null;
  initContainers?: readonly ContainerJson[] | null;
  volumes?: readonly { name: string; [field: string]: unknown }[] | null;
  imagePullSecrets?: readonly { name: string }[] | null;
  hostNetwork?: boolean | null;
  nodeSelector?: Record<string, string> | null;
  [field: string]: unknown;
}

/** A Pod, or the template of one. */
export interface PodJson {
  metadata?: Meta | null;
  spec?: PodSpecJson | null;
  [field: string]: unknown;
}

export const labelsOfPod = (pod: PodJson): Record<string, string> => pod.metadata?.labels ?? {};
export const annotationsOfPod = (pod: PodJson): Record<string, string> => pod.metadata?.annotations ?? {};

/** Something that a pod's author should know, and which field of the pod it is about. */
export interface Remark {
  text: string;
  at: readonly (string | number)[];
}

export const annotationAt = (name: string): readonly string[] => ['metadata', 'annotations', name];

/** What pods are made by, and where the template is in it. */
const TEMPLATES: Readonly<Record<string, { group: string; path: readonly string[] }>> = {
  Pod: { group: '', path: [] },
  PodTemplate: { group: '', path: ['template'] },
  ReplicationController: { group: '', path: ['spec', 'template'] },
  Deployment: { group: 'apps', path: ['spec', 'template'] },
  StatefulSet: { group: 'apps', path: ['spec', 'template'] },
  DaemonSet: { group: 'apps', path: ['spec', 'template'] },
  ReplicaSet: { group: 'apps', path: ['spec', 'template'] },
  Job: { group: 'batch', path: ['spec', 'template'] },
  CronJob: { group: 'batch', path: ['spec', 'jobTemplate', 'spec', 'template'] },
};

/** Where an object of this kind has its pod; undefined for kinds that make none. */
export function templatePath(apiVersion: unknown, kind: unknown): readonly string[] | undefined {
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !Object.hasOwn(TEMPLATES, kind)) return undefined;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const known = TEMPLATES[kind];
  return known?.group === group ? known.path : undefined;
}
