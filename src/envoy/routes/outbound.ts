import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { isWildcard } from '../../mesh/host-match.ts';
import { getOrMake } from '../../mesh/memo.ts';
import type { EgressListenerView, Service, VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { clusterName, virtualHostName } from '../names.ts';
import { isHttpOrDetected } from '../protocols.ts';
import { catchAllVirtualHost, ownAddress } from './catch-all.ts';
import { connectRoute } from './connect.ts';
import { defaultRoute } from './default-route.ts';
import { type Domains, domainOf, serviceDomains, withPort } from './domains.ts';
import { keptRouteConfiguration, routeConfiguration } from './route-configuration.ts';
import { type HostOnPort, indexByPort, type PortIndex, wildcardAssignments } from './service-index.ts';
import { type HostList, VirtualHosts } from './virtual-host.ts';
import { virtualServiceRoutes } from './virtual-service.ts';

/** A route configuration that a sidecar's listener asks for. */
export interface RouteRequest {
  name: string;
  egress: EgressListenerView;
  /** 0: the listener serves every port. */
  port: number;
  /** Only this service's virtual host, for everything: a detected port with its own address. */
  only?: string;
  /** The address that clients connect to, when it is the listener's own. */
  bound?: { address: string; port: number };
}

/** Port 80 takes VirtualServices whose hosts no service has. */
const portOfUnknownHosts = 80;

interface PortBuild {
  context: BuildContext;
  egress: EgressListenerView;
  port: number;
  hosts: ReadonlyMap<string, HostOnPort>;
  allPorts: boolean;
  out: VirtualHosts;
}

const none: ReadonlySet<string> = new Set();

function addHost({ context, port, out, allPorts }: PortBuild, host: string, routes: readonly RouteJson[]): void {
  const domains = context.memo.part(`host domains ${allPorts ? port : ''}`, host, [], context, () => {
    const names: Domains = { domains: [domainOf(host)], generated: none };
    return allPorts ? withPort(names, port) : names;
  });
  out.add(virtualHostName(host, port), domains, routes);
}

function addService({ context, port, out, allPorts }: PortBuild, entry: HostOnPort, routes: readonly RouteJson[]): void {
  const { host, services } = entry;
  const domains = context.memo.part(`service domains ${allPorts ? port : ''}`, host, services, context, ({ proxy, mesh }) => {
    const names = serviceDomains(services, proxy, mesh.config.domain);
    return allPorts ? withPort(names, port) : names;
  });
  out.add(virtualHostName(host, port), domains, allPorts ? withTunnel(context, entry, routes) : routes);
}

/** Whoever asks the HTTP proxy for a tunnel to a service gets it to the service's cluster. */
function withTunnel(context: BuildContext, { host, port }: HostOnPort, routes: readonly RouteJson[]): readonly RouteJson[] {
  return context.memo.part(`tunnel ${port.number}`, host, [routes], context, () => [
    ...routes,
    connectRoute(clusterName('outbound', port.number, '', host)),
  ]);
}

function defaultRoutes(context: BuildContext, { host, services, port }: HostOnPort): readonly RouteJson[] {
  const [service] = services as [Service];
  return context.memo.part(`default routes ${port.number}`, host, [service, port], context, (tracked) => [
    defaultRoute(tracked, service, port),
  ]);
}

interface SplitHosts {
  known: HostOnPort[];
  unknown: string[];
}

/** Of VirtualServices without wildcards, which other VirtualServices have no part in. */
const plainHosts = new WeakMap<PortBuild['hosts'], WeakMap<VirtualServiceView, SplitHosts>>();

/** The hosts of a VirtualService on a port: those that services have, and the rest. */
function splitHosts(build: PortBuild, view: VirtualServiceView, wildcards: ReadonlyMap<string, HostOnPort[]> | undefined): SplitHosts {
  const known: HostOnPort[] = [];
  const unknown: string[] = [];
  for (const host of view.hosts) {
    const found = isWildcard(host) ? wildcards?.get(host) : build.hosts.get(host) && [build.hosts.get(host)!];
    if (found === undefined) unknown.push(host);
    else for (const entry of found) if (isHttpOrDetected(entry.port.protocol)) known.push(entry);
  }
  return { known, unknown };
}

/** Virtual hosts of one port: VirtualServices first, oldest first, then the services that none of them covers. */
function buildPort(build: PortBuild): void {
  const { context, egress, port, hosts } = build;
  const covered = new Set<HostOnPort>();
  const wildcards = wildcardAssignments(egress.virtualServices, hosts);
  const plain = getOrMake(plainHosts, hosts, () => new WeakMap<VirtualServiceView, SplitHosts>());
  for (const view of egress.virtualServices) {
    const { known, unknown } =
      wildcards.size > 0 ? splitHosts(build, view, wildcards.get(view)) : getOrMake(plain, view, () => splitHosts(build, view, undefined));
    if (known.length === 0 && port !== portOfUnknownHosts) continue;
    if (known.length === 0 && unknown.length === 0) continue;
    const routes = virtualServiceRoutes(context, { view, listenPort: port, gateway: 'mesh' });
    if (routes.length === 0) continue;
    for (const host of unknown) addHost(build, host, routes);
    for (const entry of known) {
      covered.add(entry);
      addService(build, entry, routes);
    }
  }
  for (const entry of hosts.values()) {
    if (covered.has(entry)) continue;
    if (isHttpOrDetected(entry.port.protocol)) addService(build, entry, defaultRoutes(context, entry));
    else if (build.allPorts && hasAddresses(entry)) addService(build, entry, unknownRoutes(context));
  }
}

/** A tunnel needs an address to go to; other hosts are looked up by the catch-all. */
function hasAddresses({ host, services: [service] }: HostOnPort): boolean {
  return !isWildcard(host) && service!.resolution !== 'passthrough' && service!.resolution !== 'dynamic-dns';
}

/** What is no HTTP has no routes but its tunnel: whoever speaks HTTP to it all the same gets what an unknown host gives. */
function unknownRoutes(context: BuildContext): readonly RouteJson[] {
  return context.memo.part('routes of unknown hosts', '', [], context, (tracked) =>
    (catchAllVirtualHost(tracked, true).routes ?? []).filter(({ match }) => match?.connectMatcher === undefined),
  );
}

const noHosts: ReadonlyMap<string, HostOnPort> = new Map();

function knownHosts(index: PortIndex, ports: readonly number[], tunnels: boolean): ReadonlySet<string> {
  const known = new Set<string>();
  for (const port of ports)
    for (const entry of index.get(port)?.values() ?? []) if (tunnels || isHttpOrDetected(entry.port.protocol)) known.add(entry.host);
  return known;
}

function virtualHostsOf(context: BuildContext, egress: EgressListenerView, index: PortIndex, port: number): HostList {
  const allPorts = port === 0;
  const ports = allPorts ? [...new Set([...index.keys(), portOfUnknownHosts])].sort((a, b) => a - b) : [port];
  const out = new VirtualHosts(() => knownHosts(index, ports, allPorts));
  for (const number of ports) buildPort({ context, egress, port: number, hosts: index.get(number) ?? noHosts, allPorts, out });
  return out.resolve(context.memo, `virtual hosts ${context.scope.egress.indexOf(egress)} ${port}`);
}

/** The route configurations that a sidecar's listeners ask for, one per name. */
export function outboundRoutes(context: BuildContext, requests: Iterable<RouteRequest>): RouteConfigurationJson[] {
  const indexes = new Map<EgressListenerView, PortIndex>();
  const lists = new Map<EgressListenerView, Map<number, HostList>>();
  const out = new Map<string, RouteConfigurationJson>();
  const listOf = (egress: EgressListenerView, port: number): HostList => {
    const index = getOrMake(indexes, egress, () => indexByPort(egress));
    const byPort = getOrMake(lists, egress, () => new Map<number, HostList>());
    return getOrMake(byPort, port, () => virtualHostsOf(context, egress, index, port));
  };
  const byName = new Map<HostList['list'], Map<string, VirtualHostJson>>();
  const take = (made: RouteConfigurationJson): void => {
    out.set(made.name!, keptRouteConfiguration(context, made));
  };
  for (const { name, egress, port, only, bound } of requests) {
    if (out.has(name)) continue;
    const { list, domains } = listOf(egress, port);
    if (only === undefined) {
      // Envoy takes one virtual host for everything; a VirtualService for it leaves nothing over.
      const whole = domains.has('*');
      const rest = whole ? [] : [...ownAddress(context, domains, bound, port === 0), catchAllVirtualHost(context, port === 0)];
      take(routeConfiguration(name, [...list, ...rest], port === 0));
      continue;
    }
    const names = getOrMake(byName, list, () => new Map(list.map((v) => [v.name!, v])));
    const found = names.get(virtualHostName(only, port));
    // Whoever connects to the service's own address means the service, whatever host it names.
    take(routeConfiguration(name, found ? [{ ...found, domains: ['*'] }] : []));
  }
  return [...out.values()];
}
