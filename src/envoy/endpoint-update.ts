import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { sameItems } from '../mesh/model-memo.ts';
import type { DestinationRuleView, Endpoint, Mesh, ProxyScope, Service } from '../mesh/types.ts';
import { basisOf } from './build-memo.ts';
import type { BuildContext } from './context.ts';
import { type AssignmentTarget, assignmentOf, assignmentTarget } from './endpoints/build.ts';

/** What the load assignments of a service's clusters follow from, besides the cluster. */
interface Inputs {
  service: Service;
  rule: DestinationRuleView | undefined;
  endpoints: readonly (readonly Endpoint[])[];
}

/** Load assignments with what they were made from, so that the next ones need not all be made again. */
export interface TrackedEndpoints {
  list: readonly ClusterLoadAssignmentJson[];
  /** What each of `list` is of, in its order; undefined for a cluster whose service is not in scope. */
  targets: readonly (AssignmentTarget | undefined)[];
  /** The mesh's, as they were. */
  changes: Mesh['endpointChanges'];
  /** By host. */
  inputs: ReadonlyMap<string, Inputs>;
  /** What every assignment may look at. */
  basis: readonly unknown[];
}

function inputsOf(mesh: Mesh, scope: ProxyScope, service: Service): Inputs {
  const endpoints = service.ports.map((port) => mesh.endpoints(service, port));
  return { service, rule: scope.destinationRule(service), endpoints };
}

/** The inputs of each host; those that did not change are the objects that they were. */
function allInputs({ mesh, scope }: BuildContext, before: TrackedEndpoints['inputs'] | undefined): Map<string, Inputs> {
  const inputs = new Map<string, Inputs>();
  for (const { host } of scope.services) {
    const service = inputs.has(host) ? undefined : scope.serviceByHost(host);
    if (service === undefined) continue;
    const now = inputsOf(mesh, scope, service);
    const old = before?.get(host);
    const same = old !== undefined && old.service === service && old.rule === now.rule && sameItems(old.endpoints, now.endpoints);
    inputs.set(host, same ? old : now);
  }
  return inputs;
}

/** All load assignments of a proxy's clusters; those that equal ones of `before` are the same objects. */
export function trackedEndpoints(context: BuildContext, clusters: readonly ClusterJson[], before?: TrackedEndpoints): TrackedEndpoints {
  const { mesh, scope, memo } = context;
  const slot = 'clusters of endpoints';
  // The memo may have seen other builds than the one of `before`.
  const last = memo.last<{ clusters: readonly ClusterJson[]; made: TrackedEndpoints }>(slot);
  if (memo.still && before !== undefined && last?.made === before && last.clusters === clusters) return before;
  const basis = basisOf(context);
  const valid = before !== undefined && sameItems(before.basis, basis);
  const inputs = allInputs(context, before?.inputs);
  const names = clusters.flatMap(({ type, name }) => (type === 'EDS' ? [name!] : []));
  const targets: (AssignmentTarget | undefined)[] = [];
  const list: ClusterLoadAssignmentJson[] = [];
  let places: Map<string, number> | undefined;
  for (const [i, name] of names.entries()) {
    let place: number | undefined = i;
    if (before !== undefined && before.list[i]?.clusterName !== name) {
      places ??= new Map(before.list.map((old, at) => [old.clusterName!, at]));
      place = places.get(name);
    }
    const old = place === undefined ? undefined : before?.list[place];
    const known = place === undefined ? undefined : before?.targets[place];
    const host = known?.service.host;
    if (valid && known !== undefined && inputs.get(host!) === before.inputs.get(host!) && inputs.has(host!)) {
      targets.push(known);
      list.push(old!);
      continue;
    }
    const target = assignmentTarget(scope, name);
    const made = target === undefined ? { clusterName: name } : assignmentOf(mesh, scope, target);
    targets.push(target);
    list.push(old !== undefined && isDeepStrictEqual(old, made) ? old : made);
  }
  const same = before !== undefined && sameItems(before.list, list);
  const made = { list: same ? before.list : list, targets, changes: mesh.endpointChanges, inputs, basis };
  memo.keep(slot, { clusters, made });
  return made;
}

/** Hosts of services whose endpoints are not what they were. */
function touchedHosts(one: Mesh['endpointChanges'], other: Mesh['endpointChanges']): Set<string> {
  const hosts = new Set<string>();
  for (const [part, change] of one) if (other.get(part) !== change) hosts.add(part.host);
  // Neither need follow the other: a mesh that follows an older one lacks what changed between.
  for (const [part, change] of other) if (one.get(part) !== change) hosts.add(part.host);
  return hosts;
}

/**
 * The load assignments after an endpoint change: only those whose endpoints changed are made again, and what comes out the same stays
 * the same object. `mesh` is of the same routing as the one that `before` was made from.
 */
export function updateEndpoints(mesh: Mesh, scope: ProxyScope, before: TrackedEndpoints): TrackedEndpoints {
  const hosts = touchedHosts(mesh.endpointChanges, before.changes);
  let list: ClusterLoadAssignmentJson[] | undefined;
  for (const [place, target] of hosts.size === 0 ? [] : before.targets.entries()) {
    if (target === undefined || !hosts.has(target.service.host)) continue;
    const now = assignmentOf(mesh, scope, target);
    if (isDeepStrictEqual(now, before.list[place])) continue;
    list ??= [...before.list];
    list[place] = now;
  }
  if (list === undefined) return { ...before, changes: mesh.endpointChanges };
  const inputs = new Map(before.inputs);
  for (const host of hosts) {
    const service = scope.serviceByHost(host);
    if (service !== undefined) inputs.set(host, inputsOf(mesh, scope, service));
  }
  return { ...before, list, inputs, changes: mesh.endpointChanges };
}
