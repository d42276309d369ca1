import type { UpstreamHost } from '../host.ts';

/** True when no host has more weight than another: pickers then need no schedule. */
export function equalWeights(hosts: readonly UpstreamHost[]): boolean {
  const first = hosts[0]?.weight;
  return hosts.every((h) => h.weight === first);
}
