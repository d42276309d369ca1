import type { Snapshot } from './snapshot.ts';

/** What single listeners and clusters refer to: those that stay the same from one snapshot to the next are looked through once. */
const found = new WeakMap<object, readonly string[]>();

function collect(value: unknown, out: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, out);
    return;
  }
  const { name, sdsConfig } = value as { name?: unknown; sdsConfig?: unknown };
  if (typeof name === 'string' && sdsConfig !== undefined) out.add(name);
  for (const member of Object.values(value)) collect(member, out);
}

function namesIn(resource: object): readonly string[] {
  let names = found.get(resource);
  if (names === undefined) {
    const out = new Set<string>();
    collect(resource, out);
    names = [...out];
    found.set(resource, names);
  }
  return names;
}

/** Every secret (SdsSecretConfig.name) that listeners and clusters ask for, sorted and unique. */
export function secretNames(snapshot: Pick<Snapshot, 'listeners' | 'clusters'>): readonly string[] {
  const out = new Set<string>();
  for (const list of [snapshot.listeners, snapshot.clusters])
    for (const resource of list) for (const name of namesIn(resource)) out.add(name);
  return [...out].sort();
}
