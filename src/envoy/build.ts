import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../errors.ts';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';
import { buildClusters } from './clusters/build.ts';
import type { BuildContext } from './context.ts';
import { endpointDependence } from './endpoint-dependence.ts';
import { buildEndpoints } from './endpoints/build.ts';
import { buildGateway } from './gateways/build.ts';
import { inboundListeners } from './inbound/listeners.ts';
import { outboundListeners } from './listeners/outbound.ts';
import { outboundRoutes } from './routes/outbound.ts';
import type { Snapshot } from './snapshot.ts';
import { unsupportedProblems } from './unsupported-problems.ts';
import { resourceHash, versionOf } from './version.ts';

/** What a snapshot was made from, as far as it decides what the next one can keep. */
interface Basis {
  routingVersion: object;
  dependence: string;
}

const bases = new WeakMap<Snapshot, Basis>();

function byName<T extends { name?: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.name! < b.name! ? -1 : a.name! > b.name! ? 1 : 0));
}

function sidecar(context: BuildContext): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const { listeners, requests } = outboundListeners(context);
  return { listeners: [...listeners, ...inboundListeners(context)], routes: outboundRoutes(context, requests) };
}

function wholeSnapshot(mesh: Mesh, scope: ProxyScope): Snapshot {
  const { proxy } = scope;
  const problems: Problem[] = [];
  const context: BuildContext = { mesh, scope, proxy, problems };
  const made = proxy.type === 'router' ? buildGateway(context) : sidecar(context);
  const listeners = byName(made.listeners);
  const routes = byName(made.routes);
  const built = buildClusters(mesh, scope);
  const endpoints = buildEndpoints(mesh, scope, built.clusters);
  problems.push(...built.problems, ...unsupportedProblems(mesh));
  const version = versionOf(listeners, routes, built.clusters, endpoints);
  return { version, proxy, listeners, routes, clusters: built.clusters, endpoints, problems };
}

/** The new load assignments, with the old objects where nothing changed. */
function keepUnchanged(
  before: readonly ClusterLoadAssignmentJson[],
  now: readonly ClusterLoadAssignmentJson[],
): readonly ClusterLoadAssignmentJson[] {
  const old = new Map(before.map((a) => [a.clusterName, a]));
  let changed = before.length !== now.length;
  const out = now.map((assignment, i) => {
    const there = old.get(assignment.clusterName);
    const same = there !== undefined && resourceHash(there) === resourceHash(assignment);
    changed ||= !same || before[i] !== there;
    return same ? there : assignment;
  });
  return changed ? out : before;
}

function nextEndpoints(mesh: Mesh, scope: ProxyScope, previous: Snapshot): Snapshot {
  const endpoints = keepUnchanged(previous.endpoints, buildEndpoints(mesh, scope, previous.clusters));
  const { listeners, routes, clusters, problems } = previous;
  const version = endpoints === previous.endpoints ? previous.version : versionOf(listeners, routes, clusters, endpoints);
  return { version, proxy: scope.proxy, listeners, routes, clusters, endpoints, problems };
}

/**
 * The whole Envoy config of one proxy.
 *
 * @param previous the proxy's last snapshot: when only endpoints changed since (the mesh's `routingVersion` is the same), its
 *   listeners, routes and clusters are kept as they are, and so are load assignments that did not change
 */
export function buildSnapshot(mesh: Mesh, proxy: ProxyNode, previous?: Snapshot): Snapshot {
  const scope = mesh.scope(proxy);
  const dependence = endpointDependence(mesh, scope);
  const basis = previous && bases.get(previous);
  const keeps = basis !== undefined && basis.routingVersion === mesh.routingVersion && basis.dependence === dependence;
  const snapshot = keeps ? nextEndpoints(mesh, scope, previous!) : wholeSnapshot(mesh, scope);
  bases.set(snapshot, { routingVersion: mesh.routingVersion, dependence });
  return snapshot;
}
