import { UpstreamHost } from '../../../../agent/proxy/upstream/host.ts';
import type { HostSpec } from '../../../../src/upstream/endpoint-specs.ts';

/** Hosts 10.0.0.1:80, 10.0.0.2:80, … with these weights, or this many of weight 1. */
export function makeHosts(weights: number | readonly number[], more: Partial<HostSpec> = {}): UpstreamHost[] {
  const list = typeof weights === 'number' ? new Array<number>(weights).fill(1) : weights;
  return list.map(
    (weight, i) =>
      new UpstreamHost('c', {
        address: `10.0.${i >> 8}.${(i & 255) + 1}:80`,
        dial: { kind: 'ip', ip: `10.0.${i >> 8}.${(i & 255) + 1}`, port: 80 },
        hostname: '',
        weight,
        priority: 0,
        region: '',
        zone: '',
        subZone: '',
        localityWeight: undefined,
        health: 'UNKNOWN',
        metadata: {},
        ...more,
      }),
  );
}

/** How often each host is chosen in `n` choices. */
export function tally(n: number, choose: (i: number) => UpstreamHost | undefined): Map<UpstreamHost | undefined, number> {
  const counts = new Map<UpstreamHost | undefined, number>();
  for (let i = 0; i < n; i++) {
    const host = choose(i);
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return counts;
}
