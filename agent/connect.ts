import type { PodAddress } from '../src/kubernetes/pods.ts';
import type { AgentClient } from './client.ts';

/** What is asked both of an agent and of the proxy of a pod: Envoy's admin API, and what a Fairlead agent has besides. */
export type ProxyClient = Pick<AgentClient, 'address' | 'get' | 'getJson' | 'postText'>;

/**
 * A client of an agent or of the proxy of a pod, loaded when it is needed: commands that can also work without one take this.
 * @param at `unix:PATH` or `http://HOST:PORT`; undefined: this node's agent; an object: a pod of a cluster. Throws E_USAGE when an address is
 * neither, and for pods what `connectPod` throws.
 */
export async function connect(at: string | undefined): Promise<AgentClient>;
export async function connect(at: string | undefined | PodAddress): Promise<ProxyClient>;
export async function connect(at: string | undefined | PodAddress): Promise<ProxyClient> {
  if (typeof at === 'object') {
    const { connectPod } = await import('./remote/connect-pod.ts');
    return connectPod(at);
  }
  const { agentClient } = await import('./client.ts');
  return agentClient(at);
}
