import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Mesh, ProxyScope } from '../mesh/types.ts';
import { type AssignmentTarget, assignmentOf, assignmentTarget } from './endpoints/build.ts';

/** Load assignments with what they were made from, so that the next ones need not all be made again. */
export interface TrackedEndpoints {
  list: readonly ClusterLoadAssignmentJson[];
  /** What each of `list` is of, in its order; undefined for a cluster whose service is not in scope. */
  targets: readonly (AssignmentTarget | undefined)[];
  /** The mesh's, as they were. */
  changes: Mesh['endpointChanges'];
}

/** All load assignments of a proxy's clusters. */
export function trackedEndpoints(mesh: Mesh, scope: ProxyScope, clusters: readonly ClusterJson[]): TrackedEndpoints {
  const names = clusters.filter((c) => c.type === 'EDS').map((c) => c.name!);
  const targets = names.map((name) => assignmentTarget(scope, name));
  const list = targets.map((target, i) => (target ? assignmentOf(mesh, scope, target) : { clusterName: names[i]! }));
  return { list, targets, changes: mesh.endpointChanges };
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
 *
 * @returns the assignments, and the places of those that differ
 */
export function updateEndpoints(
  mesh: Mesh,
  scope: ProxyScope,
  before: TrackedEndpoints,
): { endpoints: TrackedEndpoints; changed: readonly number[] } {
  const hosts = touchedHosts(mesh.endpointChanges, before.changes);
  const changed: number[] = [];
  let list: ClusterLoadAssignmentJson[] | undefined;
  for (const [place, target] of hosts.size === 0 ? [] : before.targets.entries()) {
    if (target === undefined || !hosts.has(target.service.host)) continue;
    const now = assignmentOf(mesh, scope, target);
    if (isDeepStrictEqual(now, before.list[place])) continue;
    list ??= [...before.list];
    list[place] = now;
    changed.push(place);
  }
  return { endpoints: { targets: before.targets, list: list ?? before.list, changes: mesh.endpointChanges }, changed };
}
