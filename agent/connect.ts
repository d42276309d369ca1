import type { AgentClient } from './client.ts';

/**
 * `agentClient`, loaded when it is needed: commands that can also work without an agent take this one.
 * @param address `unix:PATH` or `http://HOST:PORT`; undefined: this node's agent. Throws E_USAGE when it is neither.
 */
export async function connect(address: string | undefined): Promise<AgentClient> {
  const { agentClient } = await import('./client.ts');
  return agentClient(address);
}
