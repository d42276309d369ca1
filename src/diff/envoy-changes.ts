/** What a change of configuration changes in one proxy's Envoy config. */
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { formatPath } from '../config/resource.ts';
import { align } from '../edit/align.ts';
import type { ProxyView } from '../explain/view.ts';
import { isSame, valueChanges } from './value-changes.ts';

export type EnvoyType = 'listener' | 'route configuration' | 'virtual host' | 'route' | 'cluster' | 'endpoints';

export interface EnvoyChange {
  proxy: string;
  type: EnvoyType;
  /** Envoy's name; a route's is that of its virtual host with its own. */
  name: string;
  change: 'added' | 'removed' | 'changed';
  fields: readonly { path: string; before: unknown; after: unknown }[];
  /** Resources that made it, before or after: `istio.config` of its metadata. */
  configs: readonly string[];
  /** Host that it is about, as far as its name says. */
  host: string | undefined;
}

interface Named {
  type: EnvoyType;
  name: string;
  value: object;
}

type Json = Record<string, unknown>;

/** All changes of one proxy; a view that is not there has nothing in it. */
export function envoyChanges(proxy: string, before: ProxyView | undefined, after: ProxyView | undefined): EnvoyChange[] {
  const listOf = <K extends 'listeners' | 'routes' | 'clusters' | 'endpoints'>(view: ProxyView | undefined, key: K): ProxyView[K] =>
    view?.[key] ?? ([] as unknown as ProxyView[K]);
  const routes = compareRoutes(proxy, before, after);
  return [
    ...compare(proxy, 'listener', listOf(before, 'listeners'), listOf(after, 'listeners'), (l) => l.name ?? ''),
    ...routes,
    ...compare(proxy, 'cluster', listOf(before, 'clusters'), listOf(after, 'clusters'), (c) => c.name ?? ''),
    ...compare(proxy, 'endpoints', listOf(before, 'endpoints'), listOf(after, 'endpoints'), (e) => e.clusterName ?? ''),
  ];
}

function compare<T extends object>(
  proxy: string,
  type: EnvoyType,
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): EnvoyChange[] {
  const old = new Map(before.map((item) => [nameOf(item), item]));
  const found: EnvoyChange[] = [];
  for (const item of after) {
    const name = nameOf(item);
    const previous = old.get(name);
    old.delete(name);
    if (previous !== item && !(previous !== undefined && isSame(previous, item)))
      found.push(changeOf(proxy, previous && { type, name, value: previous }, { type, name, value: item }));
  }
  for (const [name, item] of old) found.push(changeOf(proxy, { type, name, value: item }, undefined));
  return found;
}

function changeOf(proxy: string, before: Named | undefined, after: Named | undefined): EnvoyChange {
  const { type, name } = (after ?? before) as Named;
  const fields =
    before && after
      ? valueChanges(before.value, after.value).map((c) => ({ path: formatPath(c.path), before: c.before, after: c.after }))
      : [];
  const configs = new Set([before, after].flatMap((item) => (item ? configsOf(item.value) : [])));
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { proxy, type, name, change, fields, configs: [...configs], host: hostOf(type, name) };
}

function compareRoutes(proxy: string, before: ProxyView | undefined, after: ProxyView | undefined): EnvoyChange[] {
  const old = new Map((before?.routes ?? []).map((config) => [config.name ?? '', config]));
  const found: EnvoyChange[] = [];
  for (const config of after?.routes ?? []) {
    const name = config.name ?? '';
    const previous = old.get(name);
    old.delete(name);
    if (previous === undefined) found.push(changeOf(proxy, undefined, { type: 'route configuration', name, value: config }));
    else if (previous !== config) {
      const { virtualHosts: _old, ...oldRest } = previous;
      const { virtualHosts: _new, ...newRest } = config;
      if (!isSame(oldRest, newRest))
        found.push(
          changeOf(proxy, { type: 'route configuration', name, value: oldRest }, { type: 'route configuration', name, value: newRest }),
        );
      found.push(...compareHosts(proxy, previous.virtualHosts ?? [], config.virtualHosts ?? []));
    }
  }
  for (const [name, config] of old) found.push(changeOf(proxy, { type: 'route configuration', name, value: config }, undefined));
  return found;
}

function compareHosts(proxy: string, before: readonly VirtualHostJson[], after: readonly VirtualHostJson[]): EnvoyChange[] {
  const old = new Map(before.map((host) => [host.name ?? '', host]));
  const found: EnvoyChange[] = [];
  const named = (name: string, value: object): Named => ({ type: 'virtual host', name, value });
  for (const host of after) {
    const name = host.name ?? '';
    const previous = old.get(name);
    old.delete(name);
    if (previous === undefined) found.push(changeOf(proxy, undefined, named(name, host)));
    else if (previous !== host) {
      const { routes: oldRoutes = [], ...oldRest } = previous;
      const { routes: newRoutes = [], ...newRest } = host;
      if (!isSame(oldRest, newRest)) found.push(changeOf(proxy, named(name, oldRest), named(name, newRest)));
      for (const step of align(oldRoutes, newRoutes)) {
        const route = (value: object, index: number): Named => ({
          type: 'route',
          name: `${name} ${(value as Json)['name'] ?? `#${index + 1}`}`,
          value,
        });
        if (step.kind === 'keep') continue;
        const from = 'from' in step ? route(oldRoutes[step.from]!, step.from) : undefined;
        const to = 'to' in step ? route(newRoutes[step.to]!, step.to) : undefined;
        if (!(from && to && isSame(from.value, to.value))) found.push(changeOf(proxy, from, to));
      }
    }
  }
  for (const [name, host] of old) found.push(changeOf(proxy, named(name, host), undefined));
  return found;
}

/** Every `istio.config` and `fairlead.config` in a piece of config. */
function configsOf(value: unknown): string[] {
  const found = new Set<string>();
  const walk = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if (Array.isArray(part)) {
      for (const item of part) walk(item);
      return;
    }
    const filters = (part as Json)['filterMetadata'] as Record<string, Json> | undefined;
    for (const key of ['istio', 'fairlead']) {
      const config = filters?.[key]?.['config'];
      if (typeof config === 'string') found.add(config);
    }
    for (const inner of Object.values(part)) walk(inner);
  };
  walk(value);
  return [...found];
}

/** `outbound|80|v1|reviews.default.svc.cluster.local` and `reviews.default.svc.cluster.local:80`. */
function hostOf(type: EnvoyType, name: string): string | undefined {
  if (type === 'cluster' || type === 'endpoints') return name.split('|')[3];
  if (type === 'virtual host' || type === 'route') return name.split(' ')[0]?.replace(/:\d+$/, '');
  return undefined;
}
