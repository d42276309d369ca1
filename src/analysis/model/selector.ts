import { isSubset, type Labels } from '../../mesh/labels.ts';

/** `k=v` pairs sorted by key, joined by commas: how messages name a selector, and a key for equal ones. */
export function selectorText(selector: Labels | undefined): string {
  if (selector === undefined) return '';
  return Object.keys(selector)
    .sort()
    .map((key) => `${key}=${selector[key]}`)
    .join(',');
}

/** The first key in the order of `selectorText`; undefined without labels. */
export function firstKey(selector: Labels | undefined): string | undefined {
  return Object.keys(selector ?? {}).sort()[0];
}

/** Finds labelled things by selector without looking at all of them. */
export interface LabelSearch<Item> {
  /** All whose labels hold every pair of `selector`, in the order they were given. Of one namespace, if that is named. */
  select(selector: Labels, namespace?: string): readonly Item[];
}

/** Indexes `items` by each of their labels; answers are kept, since the same few selectors are asked for again and again. */
export function labelSearch<Item extends { readonly labels: Labels; readonly namespace: string }>(
  items: readonly Item[],
): LabelSearch<Item> {
  const byNamespace = new Map<string, Item[]>();
  const byPair = new Map<string, Item[]>();
  const add = (map: Map<string, Item[]>, key: string, item: Item): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [item]);
    else list.push(item);
  };
  for (const item of items) {
    add(byNamespace, item.namespace, item);
    for (const key in item.labels) add(byPair, `${key}=${item.labels[key]}`, item);
  }
  const none: readonly Item[] = [];
  const known = new Map<string, readonly Item[]>();
  const find = (selector: Labels, namespace: string | undefined): readonly Item[] => {
    let smallest: readonly Item[] = namespace === undefined ? items : (byNamespace.get(namespace) ?? none);
    for (const key in selector) {
      const list = byPair.get(`${key}=${selector[key]}`) ?? none;
      if (list.length < smallest.length) smallest = list;
    }
    return smallest.filter((item) => (namespace === undefined || item.namespace === namespace) && isSubset(selector, item.labels));
  };
  return {
    select(selector, namespace) {
      const key = `${namespace ?? '*'}|${selectorText(selector)}`;
      let found = known.get(key);
      if (found === undefined) {
        found = find(selector, namespace);
        known.set(key, found);
      }
      return found;
    },
  };
}

/** Finds, for labels, the things whose selector they satisfy; those without a selector are never found. */
export function selectorSearch<Item>(
  items: readonly Item[],
  selectorOf: (item: Item) => Labels | undefined,
  namespaceOf: (item: Item) => string,
): (labels: Labels, namespace: string) => Item[] {
  const frequency = new Map<string, number>();
  for (const item of items) {
    const selector = selectorOf(item) ?? {};
    for (const key in selector) {
      const pair = `${namespaceOf(item)}|${key}=${selector[key]}`;
      frequency.set(pair, (frequency.get(pair) ?? 0) + 1);
    }
  }
  // By its rarest pair: a label that all have would put everything into one list.
  const byPair = new Map<string, { item: Item; order: number }[]>();
  for (const [order, item] of items.entries()) {
    const selector = selectorOf(item) ?? {};
    let rarest: string | undefined;
    for (const key in selector) {
      const pair = `${namespaceOf(item)}|${key}=${selector[key]}`;
      if (rarest === undefined || frequency.get(pair)! < frequency.get(rarest)!) rarest = pair;
    }
    if (rarest === undefined) continue;
    const list = byPair.get(rarest);
    if (list === undefined) byPair.set(rarest, [{ item, order }]);
    else list.push({ item, order });
  }
  return (labels, namespace) => {
    const found: { item: Item; order: number }[] = [];
    for (const key in labels) {
      for (const entry of byPair.get(`${namespace}|${key}=${labels[key]}`) ?? []) {
        if (isSubset(selectorOf(entry.item)!, labels)) found.push(entry);
      }
    }
    return found.sort((a, b) => a.order - b.order).map((entry) => entry.item);
  };
}
