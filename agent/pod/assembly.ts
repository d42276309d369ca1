/** What an agent in a pod holds of each type, and what is needed to make a whole of it. */
import { createHash } from 'node:crypto';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { secretNames } from '../../src/envoy/secret-names.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import type { ProxyNode } from '../../src/mesh/types.ts';
import { isFileSecret } from '../identity/file-secrets.ts';
import { endpointName, type ResourceKind } from '../xds/resource-types.ts';
import type { Held } from './ads-client.ts';

export type HeldSet = ReadonlyMap<string, Held>;
export type HeldState = Readonly<Record<ResourceKind, HeldSet>>;

export const CONFIG_KINDS = ['cluster', 'endpoint', 'listener', 'route'] as const satisfies readonly ResourceKind[];

const NONE: HeldSet = new Map();
export const EMPTY: HeldState = { about: NONE, secret: NONE, cluster: NONE, endpoint: NONE, listener: NONE, route: NONE };

const lists = new WeakMap<HeldSet, readonly object[]>();

/** By name. The same list for the same set, so that engines see what did not change. */
export function listOf<T>(set: HeldSet): readonly T[] {
  let list = lists.get(set);
  if (list === undefined) {
    list = [...set].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { json }]) => json);
    lists.set(set, list);
  }
  return list as readonly T[];
}

/** What Envoy's resources make together. Its version stands for their content. */
export function snapshotOf(state: HeldState, proxy: ProxyNode): Snapshot {
  const hash = createHash('sha256');
  for (const kind of CONFIG_KINDS)
    for (const [name, { version }] of [...state[kind]].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${kind} ${name} ${version}\n`);
  return {
    version: hash.digest('hex').slice(0, 16),
    proxy,
    listeners: listOf(state.listener),
    routes: listOf(state.route),
    clusters: listOf(state.cluster),
    endpoints: listOf(state.endpoint),
    problems: [],
  };
}

/** Types that are asked for by name. */
export type NamedKind = 'endpoint' | 'route' | 'secret';
export const NAMED_KINDS: readonly NamedKind[] = ['endpoint', 'route', 'secret'];

/** The names that clusters and listeners lead to. Files are the pod's own. */
export function namesNeeded(state: HeldState): Record<NamedKind, ReadonlySet<string>> {
  const [clusters, listeners] = [listOf<ClusterJson>(state.cluster), listOf<ListenerJson>(state.listener)];
  return {
    endpoint: new Set(clusters.flatMap((c) => endpointName(c) ?? [])),
    route: new Set(listeners.flatMap(routeNames)),
    secret: new Set(secretNames({ listeners, clusters }).filter((name) => !isFileSecret(name))),
  };
}

const routesOf = new WeakMap<object, readonly string[]>();

function routeNames(listener: ListenerJson): readonly string[] {
  let names = routesOf.get(listener);
  if (names === undefined) {
    const found = new Set<string>();
    collect(listener, found);
    names = [...found];
    routesOf.set(listener, names);
  }
  return names;
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
    return;
  }
  const { rds } = value as { rds?: { routeConfigName?: unknown } };
  if (typeof rds?.routeConfigName === 'string') found.add(rds.routeConfigName);
  for (const member of Object.values(value)) collect(member, found);
}
