/** Labels of a resource or workload. */
export type Labels = Readonly<Record<string, string>>;

/** True when every pair of `selector` is among `labels`. An empty selector matches all. */
export function isSubset(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (!Object.hasOwn(labels, key) || labels[key] !== selector[key]) return false;
  return true;
}

/** Same pairs, in any order. */
export function equalLabels(a: Labels | undefined, b: Labels | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || (Object.keys(a).length === Object.keys(b).length && isSubset(a, b));
}

/** A label's value, undefined when absent or empty. `labels` may be an object with any keys, `constructor` included. */
export function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] || undefined : undefined;
}

/** Kubernetes' LabelSelector. */
export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: readonly { key?: string; operator?: string; values?: readonly string[] }[];
}

/** Kubernetes: all of matchLabels and matchExpressions must hold; an unknown operator never does. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  if (!isSubset(selector.matchLabels ?? {}, labels)) return false;
  return (selector.matchExpressions ?? []).every(({ key = '', operator, values = [] }) => {
    const has = Object.hasOwn(labels, key);
    if (operator === 'Exists') return has;
    if (operator === 'DoesNotExist') return !has;
    if (operator === 'In') return has && values.includes(labels[key] as string);
    if (operator === 'NotIn') return !has || !values.includes(labels[key] as string);
    return false;
  });
}
