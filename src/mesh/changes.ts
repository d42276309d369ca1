import { isDeepStrictEqual } from 'node:util';
import type { ServiceEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import { isWorkload } from './workload-set.ts';
import { TEMPLATE_KINDS } from './workload-templates.ts';

/** What differs between two lists of resources, when nothing but endpoints does. */
export interface EndpointChanges {
  /** Slices, Endpoints objects, Pods and WorkloadEntries that are gone or were replaced. */
  removed: readonly Resource[];
  added: readonly Resource[];
  /** ServiceEntries that differ in `endpoints` only. */
  entries: readonly { before: Resource<ServiceEntry>; after: Resource<ServiceEntry> }[];
}

/** Kinds that nothing in the mesh is computed from. */
const inert: ReadonlySet<string> = new Set([...TEMPLATE_KINDS, 'CronJob', 'ServiceAccount', 'Secret', 'Node']);

const keyOf = (r: Resource): string => `${remoteId(r)} ${r.group}/${r.kind}/${r.metadata.namespace}/${r.metadata.name}`;

function bearsEndpoints(resource: Resource): boolean {
  return resource.kind === 'EndpointSlice' || (resource.kind === 'Endpoints' && resource.group === '') || isWorkload(resource);
}

function sameButEndpoints(a: Resource<ServiceEntry>, b: Resource<ServiceEntry>): boolean {
  const { endpoints: from, ...one } = a.spec;
  const { endpoints: to, ...other } = b.spec;
  // Endpoints of other resolutions are part of clusters. From some to none, services that were found by their endpoints are not any more.
  if (a.spec.resolution !== 'STATIC' || (from?.length ?? 0) === 0 || (to?.length ?? 0) === 0) return false;
  return (
    isDeepStrictEqual(one, other) &&
    a.metadata.creationTime === b.metadata.creationTime &&
    isDeepStrictEqual(a.metadata.labels, b.metadata.labels) &&
    isDeepStrictEqual(a.metadata.annotations, b.metadata.annotations) &&
    isDeepStrictEqual(a.status, b.status)
  );
}

/** What is in one list only. Time is proportional to the stretch of the lists that differs. */
export interface ResourceChanges {
  removed: readonly Resource[];
  added: readonly Resource[];
}

/** Compares by identity: a resource that did not change must be the same object. */
export function resourceChanges(before: readonly Resource[], after: readonly Resource[]): ResourceChanges {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end])
    end++;
  const old = new Set(before.slice(start, before.length - end));
  const added: Resource[] = [];
  for (const resource of after.slice(start, after.length - end)) if (!old.delete(resource)) added.push(resource);
  return { removed: [...old], added };
}

/**
 * Of any changes, those that endpoints of services which stay are computed from. undefined: the nodes are others, from which all localities
 * come.
 */
export function workloadChanges({ removed, added }: ResourceChanges): EndpointChanges | undefined {
  if (removed.some(isNode) || added.some(isNode)) return undefined;
  return { removed: removed.filter(bearsEndpoints), added: added.filter(bearsEndpoints), entries: [] };
}

const isNode = (resource: Resource): boolean => resource.kind === 'Node' && resource.group === '';

/** Undefined when something else than endpoints changed. */
export function endpointChanges({ removed, added }: ResourceChanges): EndpointChanges | undefined {
  const removedByKey = new Map(removed.map((r) => [keyOf(r), r]));
  const changes = { removed: [] as Resource[], added: [] as Resource[], entries: [] as EndpointChanges['entries'][number][] };
  for (const after of added) {
    if (bearsEndpoints(after)) {
      changes.added.push(after);
      continue;
    }
    const before = removedByKey.get(keyOf(after));
    if (after.kind === 'ServiceEntry') {
      if (before === undefined || !sameButEndpoints(before as Resource<ServiceEntry>, after as Resource<ServiceEntry>)) return undefined;
      changes.entries.push({ before: before as Resource<ServiceEntry>, after: after as Resource<ServiceEntry> });
      removedByKey.delete(keyOf(after));
    } else if (!inert.has(after.kind)) {
      return undefined;
    } else if (after.kind === 'Node') {
      // Localities come from the labels of nodes; their status changes all the time.
      if (before === undefined || !isDeepStrictEqual(before.metadata.labels, after.metadata.labels)) return undefined;
      removedByKey.delete(keyOf(after));
    } else {
      removedByKey.delete(keyOf(after));
    }
  }
  for (const resource of removedByKey.values()) {
    if (bearsEndpoints(resource)) changes.removed.push(resource);
    else if (!inert.has(resource.kind) || resource.kind === 'Node') return undefined;
  }
  return changes;
}
