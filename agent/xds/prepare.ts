/** Encodes what is wanted before it is looked at, in slices, so that others are served meanwhile. */
import type { ResourceSet } from './desired.ts';

/** Milliseconds at a stretch. */
const SLICE_MS = 5;

const prepared = new WeakMap<ResourceSet, Promise<void> | 'ready'>();

/** undefined when there is nothing to wait for. Several streams that want the same wait for the same. */
export function prepare(sets: Iterable<ResourceSet>): Promise<void> | undefined {
  const waits: Promise<void>[] = [];
  for (const set of sets) {
    let state = prepared.get(set);
    if (state === undefined) {
      state = encodeAll(set).then(() => void prepared.set(set, 'ready'));
      prepared.set(set, state);
    }
    if (state !== 'ready') waits.push(state);
  }
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
}

/** Whether nothing of a set is left to encode. */
export function isEncoded(set: ResourceSet): boolean {
  return prepared.get(set) === 'ready';
}

async function encodeAll(set: ResourceSet): Promise<void> {
  let turn = performance.now();
  for (const resource of set.values()) {
    if (resource.ready) continue;
    for (const _ of resource.prepare()) {
      if (performance.now() - turn < SLICE_MS) continue;
      await new Promise(setImmediate);
      turn = performance.now();
    }
  }
}
