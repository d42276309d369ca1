import type { Metadata } from '../config/resource.ts';
import { labelOf } from './labels.ts';

/**
 * The owner of a pod as people know it: `reviews-v1` for the pod `reviews-v1-7d4c9-x2x4z` of that Deployment. Kubernetes' own
 * labels say what made the pod; its name then says who. A pod that nothing made is its own owner.
 */
export function workloadNameOf(pod: Pick<Metadata, 'name' | 'labels'>): string {
  const { name, labels } = pod;
  const hash = labelOf(labels, 'pod-template-hash');
  if (hash !== undefined) {
    // Deployment -> ReplicaSet `<deployment>-<hash>` -> Pod `<replica set>-<random>`.
    const at = name.lastIndexOf(`-${hash}-`);
    if (at > 0) return name.slice(0, at);
  }
  const job = labelOf(labels, 'batch.kubernetes.io/job-name') ?? labelOf(labels, 'job-name');
  if (job !== undefined) return job;
  // StatefulSet: `<set>-<ordinal>`; DaemonSet: `<set>-<random>`.
  if (labelOf(labels, 'statefulset.kubernetes.io/pod-name') !== undefined) return name.replace(/-\d+$/, '');
  if (labelOf(labels, 'controller-revision-hash') !== undefined) return name.replace(/-[a-z0-9]{5}$/, '');
  return name;
}
