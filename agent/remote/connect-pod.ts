import { createApiClient } from '../../src/kubernetes/client.ts';
import { openKubeConfig } from '../../src/kubernetes/kube-config.ts';
import { findPod, type PodAddress, type PodFacts, parsePodTarget } from '../../src/kubernetes/pods.ts';
import { type PodClient, podClient } from './pod-client.ts';

/**
 * A client of the proxy in a pod. Throws E_USAGE, E_KUBECONFIG, E_POD_UNKNOWN, E_POD_UNREACHABLE (it does not run), E_CLUSTER_UNREACHABLE,
 * E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN.
 */
export async function connectPod(at: PodAddress): Promise<PodClient & { readonly pod: PodFacts }> {
  const target = parsePodTarget(at.pod);
  const access = openKubeConfig(at.context);
  const api = createApiClient(access);
  try {
    const pod = await findPod(api, target, at.namespace ?? access.namespace);
    return { ...podClient(access, pod, at), pod };
  } finally {
    api.close();
  }
}
