/** What `doctor -k` asks of a pod and of the proxy in it. */
import type { PodProbes, PodProxyFacts } from '../src/doctor/probes.ts';
import { createApiClient } from '../src/kubernetes/client.ts';
import { openKubeConfig } from '../src/kubernetes/kube-config.ts';
import type { PodAddress } from '../src/kubernetes/pods.ts';
import { findPod, type PodFacts, parsePodTarget } from '../src/kubernetes/pods.ts';
import { type CertsJson, type ClustersJson, certificatesOf, clustersOf, once } from './doctor-probes.ts';
import { podClient } from './remote/pod-client.ts';
import { findProxyContainer } from './remote/proxy-container.ts';
import { remoteFacts } from './remote/proxy-facts.ts';

/** Probes of the proxy of a pod. Facts that several checks ask for are asked for once. Throws E_KUBECONFIG, E_USAGE for a target that is none. */
export function podProbes(at: PodAddress): PodProbes {
  const target = parsePodTarget(at.pod);
  const access = openKubeConfig(at.context);
  const found = once(async () => {
    const api = createApiClient(access);
    return findPod(api, target, at.namespace ?? access.namespace).finally(() => api.close());
  });
  const client = once(async () => podClient(access, await found(), at));
  const text = async (path: string): Promise<string> => (await (await client()).ask('GET', path)).body.toString('utf8');
  const json = async <T>(path: string): Promise<T> => (await client()).getJson<T>(path);
  const name = async (): Promise<string> => (await client()).address;
  return {
    pod: once(async () => podProxyFacts(await found())),
    facts: once(async () => remoteFacts(await client())),
    // Envoy answers 503 with its state when it is not ready.
    ready: async () => (await text('/ready')).trim(),
    certificates: async () => certificatesOf(await name(), await json<CertsJson>('/certs')),
    async listeners() {
      const { listener_statuses = [] } = await json<{ listener_statuses?: { name?: string }[] }>('/listeners?format=json');
      return listener_statuses.map(({ name: listener = '' }) => listener);
    },
    clusters: async () => clustersOf(await name(), await json<ClustersJson>('/clusters?format=json')),
    now: () => Date.now(),
  };
}

function podProxyFacts(pod: PodFacts): PodProxyFacts {
  const proxy = findProxyContainer(pod);
  return {
    name: `${pod.namespace}/${pod.name}`,
    phase: pod.phase,
    reason: pod.reason,
    ready: pod.ready,
    node: pod.node,
    containers: pod.containers.map(({ name }) => name),
    proxy: proxy && { container: proxy.name, ready: proxy.ready, restarts: proxy.restarts, state: proxy.state },
  };
}
