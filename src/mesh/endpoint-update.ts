import { isDeepStrictEqual } from 'node:util';
import type { EndpointSlice, Endpoints } from '../config/kinds/kubernetes.ts';
import type { ServiceEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import type { EndpointChanges } from './changes.ts';
import { type EndpointState, endpointInputs, patchSlices, serviceKeyOf } from './endpoint-state.ts';
import { type EndpointInputs, endpointsOfPart } from './endpoints.ts';
import { keyInCluster } from './locality.ts';
import type { ServiceRegistry } from './service-registry.ts';
import type { Service, Workload } from './types.ts';
import { isWorkload } from './workload-set.ts';

/** Services whose endpoints may differ, as the registry has them. */
function affected(
  changes: EndpointChanges,
  from: { before: EndpointState; after: EndpointState; registry: ServiceRegistry },
): Set<Service> {
  const { before, after, registry } = from;
  const found = new Set<Service>();
  const ofKey = (key: string): void => {
    for (const service of registry.byKubernetesName.get(keyInCluster(key)) ?? []) found.add(service);
  };
  const ofWorkload = (workload: Workload | undefined): void => {
    if (workload === undefined) return;
    const cluster = workload.resource === undefined ? '' : remoteId(workload.resource);
    for (const service of registry.selecting(workload.namespace, cluster).selecting(workload.labels)) found.add(service);
  };
  const pods: Workload[] = [];
  for (const [list, { inputs }] of [[changes.removed, before] as const, [changes.added, after] as const]) {
    for (const resource of list) {
      if (!isWorkload(resource)) {
        ofKey(serviceKeyOf(resource));
        continue;
      }
      const workload = inputs.workloads.of(resource);
      ofWorkload(workload);
      if (workload?.kind === 'Pod') pods.push(workload);
    }
  }
  if (pods.length > 0) for (const key of naming(pods, after)) ofKey(key);
  for (const { before: old } of changes.entries)
    for (const service of registry.byResource.get(originalEntry(before, old)) ?? []) found.add(service);
  return found;
}

/**
 * Services whose slices or Endpoints objects name one of `pods`, whatever their selectors say: by reference, else by address. Every
 * endpoint of the mesh is looked at, so names are compared without their namespaces: one service too many does no harm.
 */
function naming(pods: readonly Workload[], { inputs }: EndpointState): Set<string> {
  const names = new Set(pods.map((p) => p.name));
  const addresses = new Set(pods.flatMap((p) => p.addresses));
  const isAddress = (address: string): boolean => addresses.has(address);
  const keys = new Set<string>();
  for (const [key, slices] of inputs.slices) {
    for (const { spec } of slices) {
      for (const endpoint of spec.endpoints ?? []) {
        const name = endpoint.targetRef?.name;
        if (name === undefined ? endpoint.addresses.some(isAddress) : names.has(name)) keys.add(key);
      }
    }
  }
  for (const [key, { spec }] of inputs.endpointsObjects) {
    for (const { addresses: ready = [], notReadyAddresses = [] } of spec.subsets ?? []) {
      for (const { ip, targetRef } of [...ready, ...notReadyAddresses]) {
        if (targetRef?.name === undefined ? isAddress(ip) : names.has(targetRef.name)) keys.add(key);
      }
    }
  }
  return keys;
}

/** The version of a ServiceEntry that services were made from. */
function originalEntry(state: EndpointState, current: Resource): Resource {
  for (const [original, newest] of state.entries) if (newest === current) return original;
  return current;
}

function addressesOf(resource: Resource): string[] {
  if (resource.kind === 'ServiceEntry') return ((resource.spec as ServiceEntry).endpoints ?? []).map((e) => e.address ?? '');
  if (resource.kind === 'EndpointSlice') return ((resource.spec as EndpointSlice).endpoints ?? []).flatMap((e) => e.addresses ?? []);
  if (resource.kind !== 'Endpoints') return [];
  return ((resource.spec as Endpoints).subsets ?? []).flatMap((s) =>
    [...(s.addresses ?? []), ...(s.notReadyAddresses ?? [])].map((a) => a.ip),
  );
}

/** Whether an address that came or went is that of a workload, whose inbound side follows from the services that it serves. */
function touchesWorkload(resources: readonly Resource[], state: EndpointState): boolean {
  const times = new Map<string, number>();
  for (const resource of resources) for (const address of addressesOf(resource)) times.set(address, (times.get(address) ?? 0) + 1);
  // Before and after both have it: nothing came or went.
  for (const [address, count] of times) if (count % 2 === 1 && state.inputs.workloads.hasAddress(address)) return true;
  return false;
}

/** Whether a workload that stays has become another one to its own proxy. */
function changesProxies(changes: EndpointChanges, before: EndpointState, after: EndpointState): boolean {
  for (const resource of changes.added) {
    // Those of other clusters have their proxies there.
    if (!isWorkload(resource) || remoteId(resource) !== '') continue;
    const old = before.inputs.workloads.of(resource);
    const now = after.inputs.workloads.of(resource);
    if (old === undefined || now === undefined) continue;
    const essence = ({ labels, annotations, addresses, ports, serviceAccount, locality, nodeName }: Workload): unknown => [
      labels,
      annotations,
      addresses,
      ports,
      serviceAccount,
      locality,
      nodeName,
    ];
    if (!isDeepStrictEqual(essence(old), essence(now))) return true;
  }
  return false;
}

/** The inputs of endpoints after some of their resources changed. */
function changedInputs(before: EndpointState, changes: EndpointChanges, entries: EndpointState['entries']): EndpointInputs {
  const of = (list: readonly Resource[], kind: string): Resource[] => list.filter((r) => r.kind === kind);
  const { inputs } = before;
  const slices = patchSlices(inputs.slices, new Set(of(changes.removed, 'EndpointSlice')), of(changes.added, 'EndpointSlice'));
  const endpointsObjects = new Map(inputs.endpointsObjects);
  for (const object of of(changes.removed, 'Endpoints')) endpointsObjects.delete(serviceKeyOf(object));
  for (const object of of(changes.added, 'Endpoints')) endpointsObjects.set(serviceKeyOf(object), object as Resource<Endpoints>);
  const gone = changes.removed.filter(isWorkload);
  const come = changes.added.filter(isWorkload);
  const workloads = gone.length + come.length === 0 ? inputs.workloads : inputs.workloads.replace(gone, come);
  return endpointInputs({ nodes: inputs.nodes, workloads, slices, endpointsObjects }, entries);
}

/**
 * The state of a mesh whose routing was made anew from the resources as they are now. Services that are the same objects keep their
 * endpoints, but for what `changes` says.
 */
export function followEndpointState(before: EndpointState, changes: EndpointChanges, registry: ServiceRegistry): EndpointState {
  const cache: EndpointState['cache'] = new Map();
  for (const service of registry.services) {
    for (const part of registry.partsOf(service)) {
      // A ServiceEntry that has changed in its endpoints since gives other services now, so that all that is found here is of the resource.
      const known = before.entries.has(part.resource) ? undefined : before.cache.get(part);
      if (known !== undefined) cache.set(part, known);
    }
  }
  const quiet = changes.removed.length + changes.added.length === 0;
  const inputs = quiet && before.entries.size === 0 ? before.inputs : changedInputs(before, changes, new Map());
  const state: EndpointState = { inputs, cache, entries: new Map(), changed: new Map() };
  if (!quiet)
    for (const service of affected(changes, { before, after: state, registry }))
      for (const part of registry.partsOf(service)) cache.delete(part);
  return state;
}

/** The accounts that serve a part of a service: clusters check the identities that follow from them. */
function accountsOf(part: Service, { inputs, cache }: EndpointState): Set<string> {
  const accounts = new Set<string>();
  for (const port of part.ports) {
    for (const { serviceAccount, workload } of endpointsOfPart(part, port, inputs, cache))
      if (serviceAccount !== '') accounts.add(`${workload.namespace}/${serviceAccount}`);
  }
  return accounts;
}

/** The state after some endpoints changed, and whether anything but load assignments depends on them. */
export function updateEndpointState(
  before: EndpointState,
  changes: EndpointChanges,
  registry: ServiceRegistry,
): { state: EndpointState; routingChanged: boolean } {
  const entries = new Map(before.entries);
  for (const { before: old, after } of changes.entries) entries.set(originalEntry(before, old), after);
  const changed = new Map(before.changed);
  const state: EndpointState = { inputs: changedInputs(before, changes, entries), cache: new Map(before.cache), entries, changed };
  const change = {};
  const services = affected(changes, { before, after: state, registry });
  let routingChanged = false;
  for (const service of services) {
    for (const part of registry.partsOf(service)) {
      state.cache.delete(part);
      changed.set(part, change);
      routingChanged ||= !isDeepStrictEqual(accountsOf(part, before), accountsOf(part, state));
    }
    // Load assignments of other types are inside clusters, and headless services have a listener for each endpoint.
    if (service.resolution !== 'static') routingChanged = true;
  }
  const byAddress = [...changes.entries.flatMap(({ before, after }) => [before, after]), ...changes.removed, ...changes.added].filter(
    (r) => {
      if (r.kind === 'ServiceEntry') return true;
      return !isWorkload(r) && registry.byKubernetesName.get(keyInCluster(serviceKeyOf(r)))?.some((s) => s.selector === undefined);
    },
  );
  routingChanged ||= touchesWorkload(byAddress, before) || changesProxies(changes, before, state);
  return { state, routingChanged };
}
