import type { EndpointSlice, Endpoints } from '../config/kinds/kubernetes.ts';
import type { ServiceEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import type { EndpointCache, EndpointInputs } from './endpoints.ts';
import { labelOf } from './labels.ts';
import { clusterKey } from './locality.ts';
import { getOrMake } from './memo.ts';
import type { ResourceIndex } from './resource-index.ts';
import type { Service } from './types.ts';
import { buildWorkloadSet, isWorkload } from './workload-set.ts';

/** The part of a mesh that endpoint changes replace. */
export interface EndpointState {
  inputs: EndpointInputs;
  cache: EndpointCache;
  /** ServiceEntries that changed in their endpoints only, by the version that services were made from. */
  entries: ReadonlyMap<Resource, Resource<ServiceEntry>>;
  /** By part of a service whose endpoints changed since services were made: an object that stands for its last change. */
  changed: ReadonlyMap<Service, object>;
}

/** `namespace/service` that a slice or an Endpoints object belongs to, across clusters (`clusterKey`). */
export function serviceKeyOf(resource: Resource): string {
  const { namespace, name, labels } = resource.metadata;
  const service = resource.kind === 'Endpoints' ? name : (labelOf(labels, 'kubernetes.io/service-name') ?? '');
  return clusterKey(remoteId(resource), `${namespace}/${service}`);
}

const byName = (a: Resource, b: Resource): number => (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0);

/** `map` with the slices under `keys` changed: those of `removed` taken out, `added` put in. */
export function patchSlices(
  map: ReadonlyMap<string, readonly Resource<EndpointSlice>[]>,
  removed: ReadonlySet<Resource>,
  added: readonly Resource[],
): ReadonlyMap<string, readonly Resource<EndpointSlice>[]> {
  const next = new Map(map);
  const changed = new Map<string, Resource<EndpointSlice>[]>();
  const listOf = (key: string): Resource<EndpointSlice>[] =>
    getOrMake(changed, key, () => (map.get(key) ?? []).filter((slice) => !removed.has(slice)));
  for (const resource of removed) listOf(serviceKeyOf(resource));
  for (const resource of added) listOf(serviceKeyOf(resource)).push(resource as Resource<EndpointSlice>);
  for (const [key, list] of changed) {
    if (list.length === 0) next.delete(key);
    else next.set(key, list.sort(byName));
  }
  return next;
}

/** Assembles the inputs of endpoints; `entries` answers for newer versions of ServiceEntries. */
export function endpointInputs(
  from: Pick<EndpointInputs, 'nodes' | 'workloads' | 'slices' | 'endpointsObjects'>,
  entries: ReadonlyMap<Resource, Resource<ServiceEntry>>,
): EndpointInputs {
  return { ...from, currentEntry: (resource) => entries.get(resource) ?? resource };
}

/** The state of a mesh that is built anew. */
export function buildEndpointState(index: ResourceIndex): EndpointState {
  const nodes = new Map(index.everywhere('Node').map((node) => [clusterKey(remoteId(node), node.metadata.name), node]));
  const workloads = buildWorkloadSet(index.resources.filter(isWorkload), nodes);
  const slices = patchSlices(new Map(), new Set(), index.everywhere('EndpointSlice'));
  const endpointsObjects = new Map(index.ofKind<Endpoints>('Endpoints').map((r) => [serviceKeyOf(r), r]));
  return {
    inputs: endpointInputs({ nodes, workloads, slices, endpointsObjects }, new Map()),
    cache: new Map(),
    entries: new Map(),
    changed: new Map(),
  };
}
