import { xxHash64 } from '../../../../src/routing/xxhash64.ts';
import type { UpstreamHost } from '../host.ts';
import { hashKey, randomHash } from './hash-key.ts';
import { NO_HOSTS, type PickerDeps, type PickerFactory } from './picker.ts';

export interface RingHashOptions {
  minimumSize: number;
  maximumSize: number;
  useHostname: boolean;
}

/** Consistent hashing on a ring of xxHash64 values of `<address>_<i>`. Envoy: RingHashLoadBalancer. */
export function ringHash(deps: PickerDeps, options: RingHashOptions): PickerFactory {
  return (hosts, shares) => {
    const ring = buildRing(hosts, shares ?? hosts.map((h) => h.weight), options);
    const { length } = ring.hosts;
    if (length === 0) return NO_HOSTS;
    return {
      pick(context, attempt) {
        const at = position(ring.hashes, context.hash ?? randomHash(deps.random));
        // Envoy: a refused choice moves on along the ring.
        return ring.hosts[(at + attempt) % length];
      },
    };
  };
}

function buildRing(
  hosts: readonly UpstreamHost[],
  weights: readonly number[],
  { minimumSize, maximumSize, useHostname }: RingHashOptions,
): { hashes: BigUint64Array; hosts: UpstreamHost[] } {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return { hashes: new BigUint64Array(0), hosts: [] };
  const shares = weights.map((w) => w / sum);
  const least = Math.min(...shares.filter((s) => s > 0));
  // The least weighted host gets a whole number of places, unless the ring would grow too large.
  const scale = Math.min(Math.ceil(least * minimumSize) / least, maximumSize);
  const entries: { hash: bigint; host: UpstreamHost }[] = [];
  let target = 0;
  for (const [i, host] of hosts.entries()) {
    const key = hashKey(host, useHostname);
    target += scale * shares[i]!;
    for (let n = 0; entries.length < target; n++) entries.push({ hash: xxHash64(Buffer.from(`${key}_${n}`)), host });
  }
  entries.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
  return { hashes: BigUint64Array.from(entries, (e) => e.hash), hosts: entries.map((e) => e.host) };
}

/** The first place at or after `hash`, the first of all past the end. */
function position(hashes: BigUint64Array, hash: bigint): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashes[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  return low === hashes.length ? 0 : low;
}
