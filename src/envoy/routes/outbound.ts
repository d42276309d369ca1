import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { isWildcard } from '../../mesh/host-match.ts';
import { getOrMake } from '../../mesh/memo.ts';
import type { EgressListenerView, VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { virtualHostName } from '../names.ts';
import { isHttpOrDetected } from '../protocols.ts';
import { catchAllVirtualHost, ownAddress } from './catch-all.ts';
import { defaultRoute } from './default-route.ts';
import { type Domains, domainOf, serviceDomains, withPort } from './domains.ts';
import { routeConfiguration } from './route-configuration.ts';
import { type HostOnPort, httpPorts, indexByPort, type PortIndex, wildcardAssignments } from './service-index.ts';
import { sortVirtualHosts, VirtualHosts } from './virtual-host.ts';
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

function hostDomains(build: PortBuild, host: string): Domains {
  const names: Domains = { domains: [domainOf(host)], generated: new Set() };
  return build.allPorts ? withPort(names, build.port) : names;
}

function addService(build: PortBuild, entry: HostOnPort, routes: RouteJson[]): void {
  const { context, port, out, allPorts } = build;
  const names = serviceDomains(entry.services, context.proxy, context.mesh.config.domain);
  out.add(virtualHostName(entry.host, port), allPorts ? withPort(names, port) : names, routes);
}

/** The hosts of a VirtualService on a port: those that services have, and the rest. */
function splitHosts(
  build: PortBuild,
  view: VirtualServiceView,
  wildcards: ReadonlyMap<string, HostOnPort[]> | undefined,
): { known: HostOnPort[]; unknown: string[] } {
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
  const { context, egress, port, hosts, out } = build;
  const covered = new Set<HostOnPort>();
  const wildcards = wildcardAssignments(egress.virtualServices, hosts);
  for (const view of egress.virtualServices) {
    const { known, unknown } = splitHosts(build, view, wildcards.get(view));
    if (known.length === 0 && port !== portOfUnknownHosts) continue;
    if (known.length === 0 && unknown.length === 0) continue;
    const routes = virtualServiceRoutes({ ...context, view, listenPort: port, gateway: 'mesh' });
    if (routes.length === 0) continue;
    for (const host of unknown) out.add(virtualHostName(host, port), hostDomains(build, host), routes);
    for (const entry of known) {
      covered.add(entry);
      addService(build, entry, routes);
    }
  }
  for (const entry of hosts.values()) {
    if (covered.has(entry) || !isHttpOrDetected(entry.port.protocol)) continue;
    addService(build, entry, [defaultRoute(context, entry.services[0]!, entry.port)]);
  }
}

const noHosts: ReadonlyMap<string, HostOnPort> = new Map();

function knownHosts(index: PortIndex, ports: readonly number[]): ReadonlySet<string> {
  const known = new Set<string>();
  for (const port of ports)
    for (const entry of index.get(port)?.values() ?? []) if (isHttpOrDetected(entry.port.protocol)) known.add(entry.host);
  return known;
}

function virtualHostsOf(context: BuildContext, egress: EgressListenerView, index: PortIndex, port: number): VirtualHostJson[] {
  const allPorts = port === 0;
  const ports = allPorts ? [...new Set([...httpPorts(index), portOfUnknownHosts])].sort((a, b) => a - b) : [port];
  const out = new VirtualHosts(knownHosts(index, ports));
  for (const number of ports) buildPort({ context, egress, port: number, hosts: index.get(number) ?? noHosts, allPorts, out });
  return sortVirtualHosts(out.list);
}

/** The route configurations that a sidecar's listeners ask for, one per name. */
export function outboundRoutes(context: BuildContext, requests: Iterable<RouteRequest>): RouteConfigurationJson[] {
  const indexes = new Map<EgressListenerView, PortIndex>();
  const lists = new Map<EgressListenerView, Map<number, VirtualHostJson[]>>();
  const out = new Map<string, RouteConfigurationJson>();
  const listOf = (egress: EgressListenerView, port: number): VirtualHostJson[] => {
    const index = getOrMake(indexes, egress, () => indexByPort(egress));
    const byPort = getOrMake(lists, egress, () => new Map<number, VirtualHostJson[]>());
    return getOrMake(byPort, port, () => virtualHostsOf(context, egress, index, port));
  };
  const byName = new Map<VirtualHostJson[], Map<string, VirtualHostJson>>();
  for (const { name, egress, port, only, bound } of requests) {
    if (out.has(name)) continue;
    const list = listOf(egress, port);
    if (only === undefined) {
      // Envoy takes one virtual host for everything; a VirtualService for it leaves nothing over.
      const whole = list.some((v) => v.domains?.includes('*'));
      const rest = whole ? [] : [...ownAddress(context, list, bound, port === 0), catchAllVirtualHost(context, port === 0)];
      out.set(name, routeConfiguration(name, [...list, ...rest], port === 0));
      continue;
    }
    const names = getOrMake(byName, list, () => new Map(list.map((v) => [v.name!, v])));
    const found = names.get(virtualHostName(only, port));
    // Whoever connects to the service's own address means the service, whatever host it names.
    out.set(name, routeConfiguration(name, found ? [{ ...found, domains: ['*'] }] : []));
  }
  return [...out.values()];
}
