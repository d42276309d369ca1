import type { Resource } from '../config/resource.ts';

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What decides who is older. */
export interface Aged {
  creationTime: number | undefined;
  name: string;
  namespace: string;
}

/**
 * Oldest first: creation time, then name, then namespace; the order in which Istio decides conflicts. What does not say when it was
 * made (files) counts as oldest, as Istio's zero time does.
 */
export function compareAge(a: Aged, b: Aged): number {
  return (a.creationTime ?? 0) - (b.creationTime ?? 0) || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}

/** `compareAge` of resources. */
export function compareResources(a: Resource, b: Resource): number {
  return compareAge(a.metadata, b.metadata);
}
