import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { sameItems } from '../mesh/model-memo.ts';
import type { Mesh, ProxyScope } from '../mesh/types.ts';
import type { BuildContext } from './context.ts';
import { type AssignmentTarget, assignmentOf, assignmentTarget } from './endpoints/build.ts';

/** Load assignments with what they were made from, so that the next ones need not all be made again. */
export interface TrackedEndpoints {
  list: readonly ClusterLoadAssignmentJson[];
  /** What each of `list` is of, in its order; undefined for a cluster whose service is not in scope. */
  targets: readonly (AssignmentTarget | undefined)[];
  /** The mesh's, as they were. */
  changes: Mesh['endpointChanges'];
}

/** `list` with the assignments of `before` in place of equal ones; `before` itself when all are. */
function keptAssignments(
  list: ClusterLoadAssignmentJson[],
  before: readonly ClusterLoadAssignmentJson[],
): readonly ClusterLoadAssignmentJson[] {
  let byName: Map<string, ClusterLoadAssignmentJson> | undefined;
  for (const [place, made] of list.entries()) {
    let old = before[place];
    if (old === made) continue;
    if (old?.clusterName !== made.clusterName) {
      byName ??= new Map(before.map((b) => [b.clusterName!, b]));
      old = byName.get(made.clusterName!);
    }
    if (old !== undefined && isDeepStrictEqual(old, made)) list[place] = old;
  }
  return sameItems(list, before) ? before : list;
}

/** All load assignments of a proxy's clusters; those that equal ones of `before` are the same objects. */
export function trackedEndpoints(context: BuildContext, clusters: readonly ClusterJson[], before?: TrackedEndpoints): TrackedEndpoints {
  const { mesh, scope, memo } = context;
  const targets: TrackedEndpoints['targets'][number][] = [];
  const list: ClusterLoadAssignmentJson[] = [];
  for (const { type, name } of clusters) {
    if (type !== 'EDS') continue;
    const target = assignmentTarget(scope, name!);
    targets.push(target);
    list.push(
      target === undefined
        ? memo.part('no endpoints', name!, [], context, () => ({ clusterName: name! }))
        : memo.part('endpoints', name!, [target.service, target.port], context, (tracked) =>
            assignmentOf(tracked.mesh, tracked.scope, target),
          ),
    );
  }
  return { list: before === undefined ? list : keptAssignments(list, before.list), targets, changes: mesh.endpointChanges };
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
  return { targets: before.targets, list: list ?? before.list, changes: mesh.endpointChanges };
}
