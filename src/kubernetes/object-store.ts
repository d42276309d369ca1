import { isDeepStrictEqual } from 'node:util';
import type { SourceObject } from '../config/source-object.ts';

type Item = Record<string, unknown>;

/** The objects of one collection. An object that did not change stays the same SourceObject, whatever the API server sends. */
export interface ObjectStore {
  /** All that there is now. True when that is another set than before. */
  replace(values: readonly Item[]): boolean;
  put(value: Item): boolean;
  drop(value: Item): boolean;
  objects(): Iterable<SourceObject>;
  /** Makes all objects anew, because what they are made with has changed. */
  remake(): void;
  readonly size: number;
}

export function createObjectStore(make: (value: Item) => SourceObject): ObjectStore {
  let objects = new Map<string, SourceObject>();

  function renewed(known: SourceObject | undefined, value: Item): SourceObject {
    if (known === undefined) return make(value);
    if (isDeepStrictEqual(known.value, value)) return known;
    const object = make(value);
    object.before = known;
    return object;
  }

  return {
    replace(values) {
      const next = new Map<string, SourceObject>();
      let changed = values.length !== objects.size;
      for (const value of values) {
        const key = keyOf(value);
        const known = objects.get(key);
        const object = renewed(known, value);
        changed ||= object !== known;
        next.set(key, object);
      }
      objects = next;
      return changed;
    },
    put(value) {
      const key = keyOf(value);
      const known = objects.get(key);
      const object = renewed(known, value);
      objects.set(key, object);
      return object !== known;
    },
    drop: (value) => objects.delete(keyOf(value)),
    objects: () => objects.values(),
    remake() {
      objects = new Map([...objects].map(([key, { value }]) => [key, make(value)]));
    },
    get size() {
      return objects.size;
    },
  };
}

function keyOf(value: Item): string {
  const { namespace = '', name } = value['metadata'] as { namespace?: string; name: string };
  return `${namespace}/${name}`;
}
