import { isDeepStrictEqual } from 'node:util';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';
import { buildContext } from './build-memo.ts';
import { buildClusters } from './clusters/build.ts';
import type { BuildContext, BuildMemo } from './context.ts';
import { endpointDependence } from './endpoint-dependence.ts';
import { type TrackedEndpoints, trackedEndpoints, updateEndpoints } from './endpoint-update.ts';
import { buildGateway } from './gateways/build.ts';
import { inboundListeners } from './inbound/listeners.ts';
import { outboundListeners } from './listeners/outbound.ts';
import { networkProblems } from './network-problems.ts';
import { outboundRoutes } from './routes/outbound.ts';
import { securityProblems } from './security/policy-problems.ts';
import type { Snapshot } from './snapshot.ts';
import { sortedByName } from './sorted.ts';
import { telemetryProblems } from './telemetry-problems.ts';
import { unsupportedProblems } from './unsupported-problems.ts';
import { type Versioned, versionOf } from './version.ts';

/** What a snapshot was made from, as far as it decides what the next one can keep. */
interface Basis {
  routingVersion: object;
  dependence: string;
  endpoints: TrackedEndpoints;
  memo: BuildMemo;
  /** undefined: nobody has asked for the version. */
  versioned(): Versioned | undefined;
}

const bases = new WeakMap<Snapshot, Basis>();

function sidecar(context: BuildContext): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const { listeners, requests } = outboundListeners(context);
  return { listeners: [...listeners, ...inboundListeners(context)], routes: outboundRoutes(context, requests) };
}

/** A snapshot whose version is computed when it is asked for, from that of the one before when that is known. */
function withVersion(content: Omit<Snapshot, 'version'>, before: Basis | undefined): { snapshot: Snapshot; versioned: Basis['versioned'] } {
  const { listeners, routes, clusters, endpoints } = content;
  const known = before?.versioned();
  let made: Versioned | undefined;
  const snapshot: Snapshot = {
    get version() {
      made ??= versionOf({ listeners, routes, clusters, endpoints }, known);
      return made.version;
    },
    ...content,
  };
  return { snapshot, versioned: () => made };
}

/** Listeners, with those of the build before in place of equal ones. */
function keptListeners({ memo }: BuildContext, listeners: readonly ListenerJson[]): ListenerJson[] {
  const before = new Map(memo.last<readonly ListenerJson[]>('listeners as made')?.map((l) => [l.name!, l]));
  const kept = listeners.map((listener) => {
    const old = before.get(listener.name!);
    return old !== undefined && isDeepStrictEqual(old, listener) ? old : listener;
  });
  return memo.keep('listeners as made', kept);
}

function wholeSnapshot(mesh: Mesh, scope: ProxyScope, dependence: string, before: Basis | undefined): { snapshot: Snapshot; basis: Basis } {
  const { proxy } = scope;
  const context = buildContext(mesh, scope, before?.memo);
  const { memo, problems } = context;
  const made = proxy.type === 'router' ? buildGateway(context) : sidecar(context);
  const listeners = sortedByName(memo, 'listeners', keptListeners(context, made.listeners));
  const routes = sortedByName(memo, 'routes', made.routes);
  const clusters = buildClusters(context);
  const endpoints = trackedEndpoints(context, clusters, before?.endpoints);
  problems.push(...unsupportedProblems(mesh), ...telemetryProblems(mesh, scope), ...securityProblems(mesh, scope));
  problems.push(...networkProblems(mesh, scope));
  memo.finish();
  const { snapshot, versioned } = withVersion({ proxy, listeners, routes, clusters, endpoints: endpoints.list, problems }, before);
  return { snapshot, basis: { routingVersion: mesh.routingVersion, dependence, endpoints, memo, versioned } };
}

function nextSnapshot(mesh: Mesh, scope: ProxyScope, previous: Snapshot, basis: Basis): { snapshot: Snapshot; basis: Basis } {
  const endpoints = updateEndpoints(mesh, scope, basis.endpoints);
  const { listeners, routes, clusters, problems } = previous;
  const { snapshot, versioned } = withVersion(
    { proxy: scope.proxy, listeners, routes, clusters, endpoints: endpoints.list, problems },
    basis,
  );
  return { snapshot, basis: { ...basis, endpoints, versioned } };
}

/**
 * The whole Envoy config of one proxy.
 *
 * @param previous the proxy's last snapshot. What comes out the same is the same object: listeners, clusters, load assignments, route
 *   configurations and the virtual hosts in them; and of what follows from unchanged parts of the mesh nothing is made again. When only
 *   endpoints changed since (the mesh's `routingVersion` is the same), nothing else is looked at
 */
export function buildSnapshot(mesh: Mesh, proxy: ProxyNode, previous?: Snapshot): Snapshot {
  const scope = mesh.scope(proxy);
  const dependence = endpointDependence(mesh, scope);
  const before = previous && bases.get(previous);
  const onlyEndpoints = before !== undefined && before.routingVersion === mesh.routingVersion && before.dependence === dependence;
  const { snapshot, basis } = onlyEndpoints ? nextSnapshot(mesh, scope, previous!, before) : wholeSnapshot(mesh, scope, dependence, before);
  bases.set(snapshot, basis);
  return snapshot;
}
