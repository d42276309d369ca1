import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { problemAt } from '../../mesh/problem.ts';
import { listenerAccessLogs } from '../access-log.ts';
import type { BuildContext } from '../context.ts';
import { httpConnectionManager } from '../http-connection-manager.ts';
import { listenerAddress, WILDCARD } from '../listeners/address.ts';
import { inspectorsFor } from '../listeners/assemble.ts';
import { FAIR_ACCEPT, proxyProtocol } from '../listeners/filters.ts';
import { CONNECT_TIMEOUT } from '../listeners/outbound-http.ts';
import { httpStatPrefix, listenerName } from '../names.ts';
import { endsTls, serverSocket } from '../tls/server.ts';
import { autoPassthroughChains } from './auto-passthrough.ts';
import { passthroughChains, tcpServerChains } from './layer4.ts';
import type { GatewayPort, GatewayServer } from './servers.ts';

function httpChain(context: BuildContext, listener: string, entry: GatewayServer): FilterChainJson {
  const hcm = httpConnectionManager(context, {
    role: 'gateway',
    statPrefix: entry.server.name || httpStatPrefix('outbound', listener),
    routes: entry.routeName!,
    protocol: entry.protocol,
  });
  return { filters: [hcm], ...CONNECT_TIMEOUT };
}

/**
 * The server names by which connections find a server; none: all of them do. Names that another server has are left out and reported.
 *
 * @param taken server names that other servers of the address have; grows
 */
function serverNames(context: BuildContext, { hosts, resource, path: place }: GatewayServer, taken: Set<string>): string[] | undefined {
  const names = [...new Set(hosts.map((h) => h.host))];
  const any = names.includes('*');
  const wanted = any ? ['*'] : names;
  const free = wanted.filter((n) => !taken.has(n));
  for (const name of wanted) {
    if (!taken.has(name)) {
      taken.add(name);
      continue;
    }
    const message = `another server of this port has ${name === '*' ? 'all server names' : `the server name ${name}`}; it is left out here`;
    const path = [...place, 'hosts'];
    context.problems.push(problemAt(resource, path, { severity: 'warning', rule: 'gateway/conflict', message }));
  }
  if (free.length === 0) return undefined;
  return any ? [] : free;
}

/** The chains of a server that ends TLS: HTTP, or connections for the `tcp` rules of its VirtualServices. */
function terminatedChains(context: BuildContext, listener: string, entry: GatewayServer, taken: Set<string>): FilterChainJson[] {
  const chains = entry.http ? [httpChain(context, listener, entry)] : tcpServerChains(context, entry);
  const names = chains.length === 0 ? undefined : serverNames(context, entry, taken);
  if (names === undefined) return [];
  const transportSocket = serverSocket(entry.server.tls!, context.mesh.config, entry.http ? 'http' : 'tcp')!;
  return chains.map((chain) => ({ ...(names.length > 0 && { filterChainMatch: { serverNames: names } }), ...chain, transportSocket }));
}

function chainsOf(context: BuildContext, listener: string, { servers }: GatewayPort): FilterChainJson[] {
  const [first] = servers as [GatewayServer];
  // Plain HTTP servers share one connection manager: hosts are told apart by its routes.
  if (first.http && !first.tls) return [httpChain(context, listener, first)];
  const taken = new Set<string>();
  return servers.flatMap((s) => {
    if (!s.tls) return tcpServerChains(context, s);
    if (endsTls(s.server.tls!)) return terminatedChains(context, listener, s, taken);
    return s.server.tls?.mode === 'AUTO_PASSTHROUGH' ? autoPassthroughChains(context, s, taken) : passthroughChains(context, s, taken);
  });
}

/** The listener of one address of a gateway; undefined when no VirtualService gives it anything to do. */
export function gatewayListener(context: BuildContext, at: GatewayPort): ListenerJson | undefined {
  const bind = at.bind ?? WILDCARD;
  const name = listenerName(bind, at.port);
  const filterChains = chainsOf(context, name, at);
  if (filterChains.length === 0) return undefined;
  const { config } = context.mesh;
  const logs = listenerAccessLogs(context);
  const filters = [...(config.defaultConfig?.gatewayTopology?.proxyProtocol ? [proxyProtocol] : []), ...inspectorsFor(filterChains)];
  return {
    name,
    address: listenerAddress(bind, at.port),
    filterChains,
    ...(filters.length > 0 && { listenerFilters: filters }),
    // No listenerFiltersTimeout: Envoy's 15 s keeps slow handshakes from piling up (Istio).
    trafficDirection: 'OUTBOUND',
    ...(logs.length > 0 && { accessLog: logs }),
    ...FAIR_ACCEPT,
  };
}
