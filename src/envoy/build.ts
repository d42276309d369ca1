import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../errors.ts';
import { lazily } from '../mesh/memo.ts';
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
import { hashesAfter, hashesOf, type ListHashes, versionOf } from './version.ts';

/** What a snapshot was made from, as far as it decides what the next one can keep. */
interface Basis {
  routingVersion: object;
  dependence: string;
  endpoints: TrackedEndpoints;
  hashes: () => Hashes;
}

/** The hashes of a snapshot's lists. */
interface Hashes {
  /** Of listeners, routes and clusters. */
  fixed: readonly ListHashes[];
  endpoints: ListHashes;
}

const bases = new WeakMap<Snapshot, Basis>();

function byName<T extends { name?: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.name! < b.name! ? -1 : a.name! > b.name! ? 1 : 0));
}

function sidecar(context: BuildContext): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const { listeners, requests } = outboundListeners(context);
  return { listeners: [...listeners, ...inboundListeners(context)], routes: outboundRoutes(context, requests) };
}

/** A snapshot whose version is computed when it is asked for. */
function withVersion(content: Omit<Snapshot, 'version'>, hashes: Basis['hashes']): Snapshot {
  const version = lazily(() => versionOf([...hashes().fixed, hashes().endpoints]));
  return {
    get version() {
      return version();
    },
    ...content,
  };
}

function wholeSnapshot(mesh: Mesh, scope: ProxyScope, dependence: string): { snapshot: Snapshot; basis: Basis } {
  const { proxy } = scope;
  const problems: Problem[] = [];
  const context: BuildContext = { mesh, scope, proxy, problems };
  const made = proxy.type === 'router' ? buildGateway(context) : sidecar(context);
  const listeners = byName(made.listeners);
  const routes = byName(made.routes);
  const { clusters, problems: found } = buildClusters(mesh, scope);
  const endpoints = trackedEndpoints(mesh, scope, clusters);
  problems.push(...found, ...unsupportedProblems(mesh), ...telemetryProblems(mesh));
  const { list } = endpoints;
  const hashes = lazily(() => ({ fixed: [listeners, routes, clusters].map(hashesOf), endpoints: hashesOf(list) }));
  const snapshot = withVersion({ proxy, listeners, routes, clusters, endpoints: list, problems }, hashes);
  return { snapshot, basis: { routingVersion: mesh.routingVersion, dependence, endpoints, hashes } };
}

function nextSnapshot(mesh: Mesh, scope: ProxyScope, previous: Snapshot, basis: Basis): { snapshot: Snapshot; basis: Basis } {
  const { endpoints, changed } = updateEndpoints(mesh, scope, basis.endpoints);
  const { listeners, routes, clusters, problems } = previous;
  const { fixed, endpoints: before } = basis.hashes();
  // At once: hashes that wait would hold on to all snapshots before.
  const next = { fixed, endpoints: hashesAfter(before, endpoints.list, changed) };
  const hashes = (): Hashes => next;
  const snapshot = withVersion({ proxy: scope.proxy, listeners, routes, clusters, endpoints: endpoints.list, problems }, hashes);
  return { snapshot, basis: { ...basis, endpoints, hashes } };
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
  const before = previous && bases.get(previous);
  const onlyEndpoints = before !== undefined && before.routingVersion === mesh.routingVersion && before.dependence === dependence;
  const { snapshot, basis } = onlyEndpoints ? nextSnapshot(mesh, scope, previous!, before) : wholeSnapshot(mesh, scope, dependence);
  bases.set(snapshot, basis);
  return snapshot;
}
