/** What the descriptions of resources have in common. */
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { proxyName } from './clients.ts';
import type { ResourceDescription } from './types.ts';

/** What differs from kind to kind. */
export type Touched = Partial<Omit<ResourceDescription, 'version' | 'kind' | 'origin' | 'problems'>>;

export interface Around {
  readonly mesh: Mesh;
  /** Every proxy of the mesh. */
  readonly proxies: readonly ProxyNode[];
}

/** Each once, sorted. */
export const names = (proxies: readonly ProxyNode[]): string[] => [...new Set(proxies.map(proxyName))].sort();

/** Declared by somebody. */
export const isReal = ({ workload }: ProxyNode): boolean => workload.kind !== 'implied';

/** Hosts with their ports, in the order in which they are noted. */
export interface ServicePorts {
  /** `host:port`. */
  note(virtualHost: string): void;
  list(): ResourceDescription['services'];
}

export function servicePorts(): ServicePorts {
  const found = new Map<string, Set<number>>();
  return {
    note(virtualHost) {
      const [, host = virtualHost, port] = /^(.*):(\d+)$/.exec(virtualHost) ?? [];
      const ports = found.get(host) ?? new Set<number>();
      found.set(host, ports);
      if (port !== undefined) ports.add(Number(port));
    },
    list: () => [...found].map(([host, ports]) => ({ host, ports: [...ports].sort((a, b) => a - b) })),
  };
}
