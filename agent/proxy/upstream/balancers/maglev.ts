import { xxHash64 } from '../../../../src/routing/xxhash64.ts';
import type { UpstreamHost } from '../host.ts';
import { hashKey, randomHash } from './hash-key.ts';
import { NO_HOSTS, type PickerDeps, type PickerFactory } from './picker.ts';

export interface MaglevOptions {
  /** A prime. */
  tableSize: number;
  useHostname: boolean;
}

/** Consistent hashing with a table that hosts fill in turn (the Maglev paper, listing 1; weights as in Envoy's MaglevTable). */
export function maglev(deps: PickerDeps, options: MaglevOptions): PickerFactory {
  const size = BigInt(options.tableSize);
  return (hosts, shares) => {
    const table = buildTable(hosts, shares ?? hosts.map((h) => h.weight), options);
    if (table === undefined) return NO_HOSTS;
    return {
      pick(context, attempt) {
        let hash = context.hash ?? randomHash(deps.random);
        // Envoy: a refused choice flips the upper bits, which leads far away.
        if (attempt > 0) hash ^= BigInt.asUintN(64, ~0n - BigInt(attempt) + 1n);
        return table.hosts[table.entries[Number(hash % size)]!];
      },
    };
  };
}

function buildTable(
  hosts: readonly UpstreamHost[],
  weights: readonly number[],
  { tableSize, useHostname }: MaglevOptions,
): { hosts: UpstreamHost[]; entries: Int32Array } | undefined {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return undefined;
  const size = BigInt(tableSize);
  // The order in which hosts fill the table decides who gets what: it must not depend on the order of an update.
  const builders = hosts
    .map((host, i) => ({ host, key: Buffer.from(hashKey(host, useHostname)), weight: weights[i]! / sum }))
    .filter((b) => b.weight > 0)
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ host, key, weight }) => ({
      host,
      weight,
      at: Number(xxHash64(key) % size),
      skip: Number((xxHash64(key, 1n) % (size - 1n)) + 1n),
      target: 0,
    }));
  const largest = Math.max(...builders.map((b) => b.weight));
  const entries = new Int32Array(tableSize).fill(-1);
  let filled = 0;
  for (let round = 1; filled < tableSize; round++) {
    for (let i = 0; i < builders.length && filled < tableSize; i++) {
      const builder = builders[i]!;
      if (round * builder.weight < builder.target) continue;
      builder.target += largest;
      while (entries[builder.at] !== -1) builder.at = (builder.at + builder.skip) % tableSize;
      entries[builder.at] = i;
      filled++;
    }
  }
  return { hosts: builders.map((b) => b.host), entries };
}
