import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../errors.ts';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';
import { buildClusters } from './clusters/build.ts';
import type { BuildContext } from './context.ts';
import { endpointDependence } from './endpoint-dependence.ts';
import { type TrackedEndpoints, trackedEndpoints, updateEndpoints } from './endpoint-update.ts';
import { buildGateway } from './gateways/build.ts';
import { inboundListeners } from './inbound/listeners.ts';
import { outboundListeners } from './listeners/outbound.ts';
import { outboundRoutes } from './routes/outbound.ts';
import type { Snapshot } from './snapshot.ts';
import { telemetryProblems } from './telemetry-problems.ts';
import { unsupportedProblems } from './unsupported-problems.ts';
import { versionOf } from './version.ts';

/** What a snapshot was made from, as far as it decides what the next one can keep. */
interface Basis {
  routingVersion: object;
  dependence: string;
  endpoints: TrackedEndpoints;
}

const bases = new WeakMap<Snapshot, Basis>();

function byName<T extends { name?: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.name! < b.name! ? -1 : a.name! > b.name! ? 1 : 0));
}

function sidecar(context: BuildContext): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const { listeners, requests } = outboundListeners(context);
  return { listeners: [...listeners, ...inboundListeners(context)], routes: outboundRoutes(context, requests) };
}

function wholeSnapshot(mesh: Mesh, scope: ProxyScope): { snapshot: Snapshot; endpoints: TrackedEndpoints } {
  const { proxy } = scope;
  const problems: Problem[] = [];
  const context: BuildContext = { mesh, scope, proxy, problems };
  const made = proxy.type === 'router' ? buildGateway(context) : sidecar(context);
  const listeners = byName(made.listeners);
  const routes = byName(made.routes);
  const { clusters, problems: found } = buildClusters(mesh, scope);
  const endpoints = trackedEndpoints(mesh, scope, clusters);
  problems.push(...found, ...unsupportedProblems(mesh), ...telemetryProblems(mesh));
  const version = versionOf([listeners, routes, clusters], endpoints.list);
  return { snapshot: { version, proxy, listeners, routes, clusters, endpoints: endpoints.list, problems }, endpoints };
}

function nextSnapshot(scope: ProxyScope, previous: Snapshot, endpoints: TrackedEndpoints): Snapshot {
  const { listeners, routes, clusters, problems } = previous;
  const version = endpoints.list === previous.endpoints ? previous.version : versionOf([listeners, routes, clusters], endpoints.list);
  return { version, proxy: scope.proxy, listeners, routes, clusters, endpoints: endpoints.list, problems };
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
  if (basis !== undefined && basis.routingVersion === mesh.routingVersion && basis.dependence === dependence) {
    const endpoints = updateEndpoints(mesh, scope, basis.endpoints);
    const snapshot = nextSnapshot(scope, previous!, endpoints);
    bases.set(snapshot, { ...basis, endpoints });
    return snapshot;
  }
  const { snapshot, endpoints } = wholeSnapshot(mesh, scope);
  bases.set(snapshot, { routingVersion: mesh.routingVersion, dependence, endpoints });
  return snapshot;
}
