import { sameItems } from '../mesh/model-memo.ts';
import type { BuildMemo } from './context.ts';

interface Named {
  name?: string;
}

interface Sorted<T> {
  items: readonly T[];
  /** As they came, doubles included. */
  names: readonly string[];
  /** Where each of `list` came. */
  order: readonly number[];
  list: readonly T[];
}

/** Places of `names` in alphabetical order, of equal names the first only. */
function orderOf(names: readonly string[]): number[] {
  const first = new Map<string, number>();
  for (const [place, name] of names.entries()) if (!first.has(name)) first.set(name, place);
  return [...first.values()].sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
}

/**
 * `items` by name, the first of each name. While names come in the same order as in the build before, nothing is sorted, and a list of
 * the same items is the same object.
 *
 * @param slot names the list in the memo
 */
export function sortedByName<T extends Named>(memo: BuildMemo, slot: string, items: readonly T[]): readonly T[] {
  const before = memo.last<Sorted<T>>(slot);
  if (before !== undefined && sameItems(before.items, items)) return before.list;
  const names = items.map((item) => item.name!);
  const known = before !== undefined && sameItems(before.names, names);
  const order = known ? before.order : orderOf(names);
  const list = order.map((place) => items[place]!);
  const same = before !== undefined && sameItems(before.list, list);
  return memo.keep(slot, { items, names: known ? before.names : names, order, list: same ? before.list : list }).list;
}
