/** What differs between two plain values, leaf by leaf. The order of keys never counts; items of lists are paired by their names. */

import type { FieldPath } from '../config/resource.ts';
import { align } from '../edit/align.ts';
import { isMapValue, type Value } from '../edit/equal.ts';

/** `undefined` on a side: it is not there. */
export interface ValueChange {
  /** In the newer value; in the older one where it was removed. */
  path: FieldPath;
  /** In the older value. */
  oldPath: FieldPath;
  before: Value;
  after: Value;
}

/** Keys that say where something comes from and not what it does. */
const PROVENANCE = 'fairlead';
const DURATION = /^-?\d+(?:\.\d+)?s$/;

/** Equal for what they do: protobuf's durations are numbers, and line provenance is left out. */
export function isSame(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === 'string' && typeof b === 'string')
    return DURATION.test(a) && DURATION.test(b) && Number.parseFloat(a) === Number.parseFloat(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  if (!isMapValue(a) || !isMapValue(b)) return false;
  const keys = keysOf(a);
  return keys.length === keysOf(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

function keysOf(map: Record<string, Value>): string[] {
  const keys = Object.keys(map);
  return Object.hasOwn(map, PROVENANCE) && Object.hasOwn(map, 'istio') ? keys.filter((key) => key !== PROVENANCE) : keys;
}

/** Every leaf that differs, in the order of the newer value; what came or went as a whole is one change. */
export function valueChanges(before: Value, after: Value): ValueChange[] {
  const found: ValueChange[] = [];
  const walk = (a: Value, b: Value, oldPath: FieldPath, path: FieldPath): void => {
    if (isSame(a, b)) return;
    if (isMapValue(a) && isMapValue(b)) {
      for (const key of keysOf(b)) walk(a[key], b[key], [...oldPath, key], [...path, key]);
      for (const key of keysOf(a))
        if (!Object.hasOwn(b, key)) found.push({ path: [...path, key], oldPath: [...oldPath, key], before: a[key], after: undefined });
    } else if (Array.isArray(a) && Array.isArray(b)) {
      for (const [i, j] of pairs(a, b)) {
        const [from, to] = [i === undefined ? undefined : a[i], j === undefined ? undefined : b[j]];
        walk(from, to, [...oldPath, i ?? a.length], [...path, j ?? i ?? 0]);
      }
    } else found.push({ path, oldPath, before: a, after: b });
  };
  walk(before, after, [], []);
  return found;
}

/** Which items of two lists belong together: those of one name, else those that a shortest edit leaves in their places. */
function pairs(a: readonly Value[], b: readonly Value[]): (readonly [number | undefined, number | undefined])[] {
  const names = (list: readonly Value[]): (string | undefined)[] =>
    list.map((item) => (isMapValue(item) && typeof item['name'] === 'string' ? item['name'] : undefined));
  const [from, to] = [names(a), names(b)];
  const unique = (list: readonly (string | undefined)[]): boolean => !list.includes(undefined) && new Set(list).size === list.length;
  if (a.length > 0 && b.length > 0 && unique(from) && unique(to)) {
    const indexOf = new Map(from.map((name, i) => [name, i]));
    const kept = to.map((name, j) => [indexOf.get(name), j] as const);
    const gone = from.flatMap((name, i) => (to.includes(name) ? [] : [[i, undefined] as const]));
    return [...kept, ...gone];
  }
  return align(a, b).map((step) =>
    'from' in step ? ('to' in step ? [step.from, step.to] : [step.from, undefined]) : [undefined, step.to],
  );
}
