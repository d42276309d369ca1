import { isSubset, type Labels } from './labels.ts';

/** Things found by labels that they carry: `matching(selector)`. */
export interface LabelledIndex<T> {
  /** In the order of the list that the index was made from. */
  matching(selector: Labels): readonly T[];
}

const pair = (key: string, value: string): string => `${key}\u0000${value}`;

/** Indexes `items` by each of their labels; a lookup walks the shortest list only. */
export function indexLabelled<T>(items: readonly T[], labelsOf: (item: T) => Labels): LabelledIndex<T> {
  const byPair = new Map<string, T[]>();
  for (const item of items) {
    const labels = labelsOf(item);
    for (const key of Object.keys(labels)) {
      const name = pair(key, labels[key] as string);
      const list = byPair.get(name);
      if (list) list.push(item);
      else byPair.set(name, [item]);
    }
  }
  return {
    matching(selector) {
      let shortest: readonly T[] = items;
      for (const key of Object.keys(selector)) {
        const list = byPair.get(pair(key, selector[key] as string));
        if (list === undefined) return [];
        if (list.length < shortest.length) shortest = list;
      }
      return shortest.filter((item) => isSubset(selector, labelsOf(item)));
    },
  };
}

/** Things found by the labels that they select: `selecting(labels)`. */
export interface SelectingIndex<T> {
  /** In no particular order. */
  selecting(labels: Labels): T[];
}

/** Indexes `items` by one pair of their selectors; those with an empty selector match everything. */
export function indexSelecting<T>(items: readonly T[], selectorOf: (item: T) => Labels): SelectingIndex<T> {
  const byPair = new Map<string, T[]>();
  const always: T[] = [];
  for (const item of items) {
    const selector = selectorOf(item);
    const [key] = Object.keys(selector);
    if (key === undefined) {
      always.push(item);
      continue;
    }
    const name = pair(key, selector[key] as string);
    const list = byPair.get(name);
    if (list) list.push(item);
    else byPair.set(name, [item]);
  }
  return {
    selecting(labels) {
      const found = [...always];
      for (const key of Object.keys(labels)) {
        for (const item of byPair.get(pair(key, labels[key] as string)) ?? []) if (isSubset(selectorOf(item), labels)) found.push(item);
      }
      return found;
    },
  };
}
