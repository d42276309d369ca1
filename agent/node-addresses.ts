import { hostname, networkInterfaces } from 'node:os';

/** How a node knows which workloads are its own. */
export interface NodeAddresses {
  list: readonly string[];
  nodeName: string;
}

/** Which pods of a cluster an agent serves: all of its node, or the one whose network it shares. */
export type PodChoice = 'node' | 'own';

/** All addresses of this host's interfaces, loopback included. The model takes the whole of 127.0.0.0/8 for local. */
export function nodeAddresses(): NodeAddresses {
  const list = Object.values(networkInterfaces())
    .flatMap((i) => i ?? [])
    .map((i) => i.address);
  return { list: [...new Set(list)], nodeName: process.env['NODE_NAME'] ?? hostname() };
}
