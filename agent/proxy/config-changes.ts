/** What differs between two configurations of a proxy, and how it is put together again. Objects that are the same need not be said again. */
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { ConfigChanges, HostChanges, ListChanges, ProxyConfig } from './protocol.ts';

type Lists = Pick<ProxyConfig, 'listeners' | 'routes' | 'clusters' | 'endpoints'>;

/** `after`, told by stretches of `before`: by identity, in time proportional to the lists. */
function listChanges<T extends object>(before: readonly T[], after: readonly T[]): (readonly [from: number, count: number] | T)[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const out: ([from: number, count: number] | T)[] = [];
  const copy = (from: number, count: number): void => {
    const last = out.at(-1);
    if (count === 0) return;
    if (Array.isArray(last) && last[0] + last[1] === from) last[1] += count;
    else out.push([from, count]);
  };
  copy(0, start);
  const places = new Map<T, number>();
  for (let i = start; i < before.length - end; i++) places.set(before[i]!, i);
  for (const item of after.slice(start, after.length - end)) {
    const place = places.get(item);
    if (place === undefined) out.push(item);
    else copy(place, 1);
  }
  copy(before.length - end, end);
  return out;
}

function isCopy(part: unknown): part is readonly [from: number, count: number] {
  return Array.isArray(part);
}

/** What `listChanges` told; `before` itself when it is all the same. */
function changedList<T, C>(before: readonly T[], changes: ListChanges<C>, read: (changed: C) => T): readonly T[] {
  const [first] = changes;
  if (changes.length === 1 && isCopy(first) && first[0] === 0 && first[1] === before.length) return before;
  return changes.flatMap((part) => (isCopy(part) ? before.slice(part[0], part[0] + part[1]) : [read(part as C)]));
}

/** A route configuration that was there before is told by its virtual hosts. */
function routeChanges(before: readonly RouteConfigurationJson[], after: readonly RouteConfigurationJson[]): ConfigChanges['routes'] {
  const places = new Map(before.map((route, place) => [route.name, place]));
  return listChanges(before, after).map((part) => {
    const place = isCopy(part) ? undefined : places.get(part.name);
    if (isCopy(part) || place === undefined) return part;
    const { virtualHosts = [], ...config } = part;
    return { of: place, config, hosts: listChanges(before[place]!.virtualHosts ?? [], virtualHosts) };
  });
}

function readRoute(before: readonly RouteConfigurationJson[], changed: RouteConfigurationJson | HostChanges): RouteConfigurationJson {
  if (!('hosts' in changed)) return changed;
  const hosts: readonly VirtualHostJson[] = before[changed.of]?.virtualHosts ?? [];
  return { ...changed.config, virtualHosts: changedList(hosts, changed.hosts, (host) => host) as VirtualHostJson[] };
}

/** What is to be told to a proxy that runs `before`, so that it runs `after`. */
export function changesBetween(before: ProxyConfig, after: ProxyConfig): ConfigChanges {
  const { version, name } = after;
  return {
    from: before.version,
    version,
    name,
    listeners: listChanges(before.listeners, after.listeners),
    routes: routeChanges(before.routes, after.routes),
    clusters: listChanges(before.clusters, after.clusters),
    endpoints: listChanges(before.endpoints, after.endpoints),
  };
}

/** The configuration that `changes` make of `before`; what did not change is the same objects. */
export function changedConfig(before: Lists, changes: ConfigChanges): ProxyConfig {
  const { version, name, listeners, routes, clusters, endpoints } = changes;
  return {
    version,
    name,
    listeners: changedList(before.listeners, listeners, (l) => l),
    routes: changedList(before.routes, routes, (route) => readRoute(before.routes, route)),
    clusters: changedList(before.clusters, clusters, (c) => c),
    endpoints: changedList(before.endpoints, endpoints, (e) => e),
  };
}
