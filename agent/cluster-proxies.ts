/** Every proxy of a cluster, asked at once: those that fail are rows as the others are. */
import { FairleadError } from '../src/errors.ts';
import { isForbidden } from '../src/kubernetes/api-error.ts';
import { createApiClient } from '../src/kubernetes/client.ts';
import { openKubeConfig } from '../src/kubernetes/kube-config.ts';
import type { PodAddress } from '../src/kubernetes/pods.ts';
import { findPod, listPods, type PodFacts, parsePodTarget } from '../src/kubernetes/pods.ts';
import { inParallel } from './remote/in-parallel.ts';
import { podClient } from './remote/pod-client.ts';
import { findProxyContainer } from './remote/proxy-container.ts';
import { type RemoteFacts, remoteFacts } from './remote/proxy-facts.ts';

/** Connections to the API server at once: each is a stream that it and a kubelet have to carry. */
export const PROXIES_AT_ONCE = 8;

export interface ClusterProxiesChoice extends Omit<PodAddress, 'pod'> {
  /** Only these; none: all. */
  readonly pods: readonly string[];
  /** All namespaces or an error; without it, those that may be read. Not read when `namespace` is given. */
  readonly allNamespaces: boolean;
  /** Told after each, for people who wait. */
  progress?(done: number, of: number): void;
}

export interface ClusterProxy {
  /** `POD.NAMESPACE`. */
  readonly name: string;
  readonly pod: PodFacts;
  /** undefined: it could not be asked. */
  readonly facts: RemoteFacts | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly next: string | undefined } | undefined;
}

export interface ClusterProxies {
  readonly context: string;
  readonly proxies: readonly ClusterProxy[];
  readonly notes: readonly string[];
}

/**
 * Finds the pods with a proxy, and asks each what it says of itself. Throws E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN
 * when pods cannot be listed, E_POD_UNKNOWN for one that was named and is not there, and the signal's reason.
 */
export async function clusterProxies(choice: ClusterProxiesChoice): Promise<ClusterProxies> {
  const access = openKubeConfig(choice.context);
  const api = createApiClient(access);
  const notes: string[] = [];
  const find = async (): Promise<PodFacts[]> => {
    const namespace = choice.namespace ?? access.namespace;
    if (choice.pods.length > 0) return Promise.all(choice.pods.map((text) => findPod(api, parsePodTarget(text), namespace)));
    try {
      return await listPods(api, { namespace: choice.namespace });
    } catch (error) {
      if (!isForbidden(error) || choice.allNamespaces || choice.namespace !== undefined) throw error;
      notes.push(`proxies of namespace ${namespace} alone are shown: this user may not list pods in all of ${access.context}`);
      return listPods(api, { namespace });
    }
  };
  const pods = await find().finally(() => api.close());
  const asked = choice.pods.length > 0 ? pods : pods.filter((pod) => hasProxy(pod) && !isOver(pod));
  let done = 0;
  const proxies = await inParallel(asked, PROXIES_AT_ONCE, async (pod): Promise<ClusterProxy> => {
    choice.signal?.throwIfAborted();
    const name = `${pod.name}.${pod.namespace}`;
    try {
      return { name, pod, facts: await remoteFacts(podClient(access, pod, choice)), error: undefined };
    } catch (error) {
      choice.signal?.throwIfAborted();
      const known = error instanceof FairleadError ? error : undefined;
      const { message } = error as Error;
      return { name, pod, facts: undefined, error: { code: known?.code ?? 'E_POD_UNREACHABLE', message, next: known?.next } };
    } finally {
      done += 1;
      choice.progress?.(done, asked.length);
    }
  });
  return { context: access.context, proxies, notes };
}

/** Agents of nodes serve the proxies of other pods: those are rows, they are none. */
function hasProxy(pod: PodFacts): boolean {
  const found = findProxyContainer(pod);
  return found !== undefined && found.args[found.args.indexOf('--pods') + 1] !== 'node';
}

/** Jobs that have ended keep their pods. */
const isOver = ({ phase }: PodFacts): boolean => phase === 'Succeeded' || phase === 'Failed';
