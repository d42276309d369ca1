import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { compareSpecificity } from '../../mesh/host-match.ts';
import { getOrMake } from '../../mesh/memo.ts';
import type { VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { virtualHostName } from '../names.ts';
import { domainOf } from '../routes/domains.ts';
import { isCatchAll } from '../routes/match.ts';
import { keptRouteConfiguration, routeConfiguration } from '../routes/route-configuration.ts';
import { sortVirtualHosts } from '../routes/virtual-host.ts';
import { virtualServiceRoutes } from '../routes/virtual-service.ts';
import { attached } from './layer4.ts';
import type { GatewayServer } from './servers.ts';

/** A virtual host while VirtualServices are added to it. */
interface HostRoutes {
  name: string;
  hosts: string[];
  routes: RouteJson[];
  requireTls: boolean;
}

/** The catch-alls of all VirtualServices go to the very end, so that one's does not hide another's specific rules. */
function catchAllsLast(routes: readonly RouteJson[]): RouteJson[] {
  return [...routes.filter((r) => !isCatchAll(r.match)), ...routes.filter((r) => isCatchAll(r.match))];
}

/** Hosts with the very same routes become one virtual host, named after the most specific of them. */
function collapse(byHost: ReadonlyMap<string, HostRoutes>): HostRoutes[] {
  const ids = new Map<RouteJson, number>();
  const idOf = (route: RouteJson): number => getOrMake(ids, route, () => ids.size);
  const merged = new Map<string, HostRoutes>();
  for (const host of [...byHost.keys()].sort(compareSpecificity)) {
    const entry = byHost.get(host)!;
    const key = `${entry.requireTls} ${entry.routes.map(idOf).join()}`;
    const same = merged.get(key);
    if (same === undefined) merged.set(key, { ...entry, hosts: [...entry.hosts] });
    else same.hosts.push(...entry.hosts);
  }
  return [...merged.values()];
}

/** Routes of a VirtualService are made once for a Gateway and port, so that hosts which share them can be told. */
class RouteCache {
  readonly #made = new Map<string, Map<VirtualServiceView, readonly RouteJson[]>>();
  readonly #context: BuildContext;

  constructor(context: BuildContext) {
    this.#context = context;
  }

  get(view: VirtualServiceView, gateway: string, listenPort: number): readonly RouteJson[] {
    const byView = getOrMake(this.#made, `${gateway} ${listenPort}`, () => new Map());
    return getOrMake(byView, view, () => virtualServiceRoutes(this.#context, { view, listenPort, gateway }));
  }
}

/** The route configuration that some servers share: all plain HTTP ones of an address, or one HTTPS server. */
export function gatewayRoutes(context: BuildContext, name: string, servers: readonly GatewayServer[]): RouteConfigurationJson {
  const cache = new RouteCache(context);
  const byHost = new Map<string, HostRoutes>();
  for (const entry of servers) {
    const { number } = entry.server.port;
    const redirect = entry.server.tls?.httpsRedirect === true;
    const take = (host: string, routes: readonly RouteJson[]): void => {
      const there = byHost.get(host);
      if (there === undefined) {
        byHost.set(host, { name: virtualHostName(host, number), hosts: [host], routes: [...routes], requireTls: redirect });
      } else {
        there.routes.push(...routes);
        there.requireTls ||= redirect;
      }
    };
    for (const { view, hosts } of attached(context, entry)) {
      const routes = cache.get(view, entry.gateway, number);
      // Without a rule for this gateway the VirtualService is not there: its host may be served by another's wildcard.
      if (routes.length > 0) for (const host of hosts) take(host, routes);
    }
    if (redirect || entry.claimsHosts) for (const { host } of entry.hosts) take(host, []);
  }
  const hosts = virtualHosts(byHost, servers[0]!.server.port.number);
  return keptRouteConfiguration(context, routeConfiguration(name, hosts));
}

function virtualHosts(byHost: ReadonlyMap<string, HostRoutes>, port: number): VirtualHostJson[] {
  // Nothing is attached: every request gets 404 (flag NR).
  if (byHost.size === 0) return [{ name: `blackhole:${port}`, domains: ['*'], routes: [] }];
  const list = collapse(byHost).map((entry) => ({
    name: entry.name,
    domains: entry.hosts.map(domainOf),
    routes: catchAllsLast(entry.routes),
    includeRequestAttemptCount: true,
    ...(entry.requireTls && { requireTls: 'ALL' as const }),
  }));
  return sortVirtualHosts(list);
}
