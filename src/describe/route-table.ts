/** The HTTP routes of one proxy, compiled from its config, with what shadows them. */
import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildSnapshot } from '../envoy/build.ts';
import type { Problem } from '../errors.ts';
import { exposureOfRoute } from '../explain/exposures.ts';
import { typeOf } from '../explain/listener.ts';
import { createLocator } from '../explain/locator.ts';
import { compileLeniently } from '../explain/routes.ts';
import { type ProxyView, viewOfSnapshot } from '../explain/view.ts';
import { getOrMake } from '../mesh/memo.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { routeCovers } from '../routing/route-cover.ts';
import type { CompiledRoute } from '../routing/types.ts';
import { routeSettings } from './route-settings.ts';
import type { RouteUse } from './types.ts';

/** A route where it stands. */
export interface TableRoute {
  readonly proxy: string;
  /** `reviews.default.svc.cluster.local:9080`. */
  readonly virtualHost: string;
  readonly use: RouteUse;
  /** The VirtualService that it is a route of, by Envoy's metadata; undefined for what no resource asked for. */
  readonly root: string | undefined;
  /** The resource and the field that wrote it: a delegate's own. */
  readonly config: string | undefined;
  readonly field: string | undefined;
}

export interface ProxyTables {
  readonly view: ProxyView;
  readonly problems: readonly Problem[];
  /** Names of all virtual hosts that clients' requests can meet. */
  readonly virtualHosts: readonly string[];
  /** The routes of a virtual host, in the order in which they are tried. */
  routes(virtualHost: string): readonly TableRoute[];
}

const made = new WeakMap<Mesh, WeakMap<ProxyNode, ProxyTables>>();

/** What a proxy runs. Computed once for a mesh; virtual hosts are compiled when they are asked for. */
export function tablesOf(mesh: Mesh, proxy: ProxyNode): ProxyTables {
  const known = getOrMake(made, mesh, () => new WeakMap<ProxyNode, ProxyTables>());
  return getOrMake(known, proxy, () => makeTables(mesh, proxy));
}

function makeTables(mesh: Mesh, proxy: ProxyNode): ProxyTables {
  const snapshot = buildSnapshot(mesh, proxy);
  const view = viewOfSnapshot(snapshot, '', createLocator(mesh, proxy.namespace));
  const configs = [...view.routes, ...inlineRoutes(view.listeners)];
  const byName = new Map<string, RouteConfigurationJson>();
  for (const config of configs)
    for (const { name = '', routes = [] } of config.virtualHosts ?? []) {
      const first = byName.get(name);
      // The same virtual host may stand in several configurations; the one with more routes says more (tunnels).
      if (first === undefined || countIn(first, name) < routes.length) byName.set(name, config);
    }
  const compiled = new Map<string, readonly TableRoute[]>();
  return {
    view,
    problems: snapshot.problems,
    virtualHosts: [...byName.keys()],
    routes: (name) => getOrMake(compiled, name, () => compile(byName.get(name), name, view)),
  };
}

const countIn = (config: RouteConfigurationJson, name: string): number =>
  config.virtualHosts?.find((v) => v.name === name)?.routes?.length ?? 0;

/** Of listeners for requests that go out or come from outside. */
function inlineRoutes(listeners: readonly ListenerJson[]): RouteConfigurationJson[] {
  const chainsOf = (l: ListenerJson): FilterChainJson[] => [
    ...(l.filterChains ?? []),
    ...(l.defaultFilterChain === undefined ? [] : [l.defaultFilterChain]),
  ];
  return listeners
    .filter((l) => l.trafficDirection !== 'INBOUND')
    .flatMap(chainsOf)
    .flatMap((chain) => chain.filters ?? [])
    .flatMap(({ typedConfig }) => {
      const inline = typeOf(typedConfig).endsWith('.HttpConnectionManager')
        ? (typedConfig as HttpConnectionManagerJson).routeConfig
        : undefined;
      return inline === undefined ? [] : [inline];
    });
}

/** What a route asks for; what every request meets is no condition. */
export function conditionsOfRoute({ json, path, conditions, fraction }: CompiledRoute): string[] {
  return [
    ...(isAnyPath(json.match) ? [] : [path.describe()]),
    ...conditions.map((c) => c.describe()),
    ...(fraction === undefined ? [] : [`${fraction.numerator} of ${fraction.denominator} requests`]),
  ];
}

const isAnyPath = (match: RouteMatchJson | undefined): boolean => match?.prefix === '/' || match?.safeRegex?.regex === '.*';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function compile(config: RouteConfigurationJson | undefined, name: string, view: ProxyView): TableRoute[] {
  const json = config?.virtualHosts?.find((v) => v.name === name);
  if (config === undefined || json === undefined) return [];
  const [host] = compileLeniently({ ...config, virtualHosts: [json] }).config.virtualHosts;
  // What Fairlead adds for tunnels to the service is nobody's route.
  const routes = (host?.routes ?? []).filter((r) => r.json.match?.connectMatcher === undefined);
  const out: TableRoute[] = [];
  for (const [index, route] of routes.entries()) {
    const { kind, answer, destinations, origin } = exposureOfRoute(view, '', route);
    const { filterMetadata } = route.json.metadata ?? {};
    const at = routes.slice(0, index).findIndex((earlier) => routeCovers(earlier.json.match ?? {}, route.json.match ?? {}));
    const earlier = at < 0 ? undefined : out[at]!.use;
    const use: RouteUse = {
      number: index + 1,
      name: route.name,
      protocol: 'HTTP',
      conditions: conditionsOfRoute(route),
      kind,
      ...(answer !== undefined && { answer }),
      destinations,
      settings: routeSettings(route.json),
      ...(origin !== undefined && { origin }),
      ...(earlier && {
        shadow: {
          why: `route #${earlier.number}${earlier.name === '' ? '' : ` ${earlier.name}`} takes every such request before it`,
          ...(earlier.origin && { by: earlier.origin }),
        },
      }),
    };
    out.push({
      proxy: view.proxy,
      virtualHost: name,
      use,
      root: text(filterMetadata?.['istio']?.['config']),
      config: text(filterMetadata?.['fairlead']?.['config']) ?? text(filterMetadata?.['istio']?.['config']),
      field: text(filterMetadata?.['fairlead']?.['field']),
    });
  }
  return out;
}
