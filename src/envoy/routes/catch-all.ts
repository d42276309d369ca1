import type { RouteActionJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { BuildContext } from '../context.ts';
import { LOCALHOST, WILDCARD } from '../listeners/address.ts';
import {
  ALLOW_ANY,
  ALLOW_ANY_DYNAMIC_DNS,
  BLACK_HOLE_CLUSTER,
  BLOCK_ALL,
  DYNAMIC_DNS_CLUSTER,
  OWN_ADDRESS,
  PASSTHROUGH_CLUSTER,
} from '../names.ts';
import { looksUnknownHostsUp, unknownTraffic } from '../unknown-traffic.ts';
import { timeouts } from './action.ts';
import { connectRoute } from './connect.ts';
import { resolveDestination } from './destination.ts';

/** The cluster for unknown connections: a Sidecar's `egressProxy`, the original destination, or the black hole. */
export function unknownTcpCluster(context: BuildContext): string {
  if (unknownTraffic(context.scope) === 'REGISTRY_ONLY') return BLACK_HOLE_CLUSTER;
  const { egressProxy } = context.scope.outboundTrafficPolicy as { egressProxy?: Parameters<typeof resolveDestination>[1] };
  const { sidecar } = context.scope;
  return egressProxy && sidecar
    ? resolveDestination(context, egressProxy, sidecar, egressProxy.port?.number ?? 0).cluster
    : PASSTHROUGH_CLUSTER;
}

function forward(name: string, route: RouteActionJson): VirtualHostJson {
  return {
    name,
    domains: ['*'],
    routes: [{ name, match: { prefix: '/' }, route: { ...route, ...timeouts(undefined) } }],
    includeRequestAttemptCount: true,
  };
}

function tunnelling(host: VirtualHostJson): VirtualHostJson {
  return { ...host, routes: [...(host.routes ?? []), connectRoute(DYNAMIC_DNS_CLUSTER)] };
}

/**
 * The virtual host for hosts that nothing knows.
 *
 * @param allPorts the listener is named as an HTTP proxy by its clients, who tell it host and port of what they want
 */
export function catchAllVirtualHost(context: BuildContext, allPorts = false): VirtualHostJson {
  switch (unknownTraffic(context.scope)) {
    case 'REGISTRY_ONLY':
      return {
        name: BLOCK_ALL,
        domains: ['*'],
        routes: [
          { name: BLOCK_ALL, match: { prefix: '/' }, directResponse: { status: 502 } },
          // Envoy answers a CONNECT that no upgrade is allowed for with 403, whatever status stands here.
          ...(allPorts ? [{ name: BLOCK_ALL, match: { connectMatcher: {} }, directResponse: { status: 403 } }] : []),
        ],
        includeRequestAttemptCount: true,
      };
    case 'ALLOW_ANY_DYNAMIC_DNS': {
      const host = forward(ALLOW_ANY_DYNAMIC_DNS, { cluster: DYNAMIC_DNS_CLUSTER });
      return allPorts ? tunnelling(host) : host;
    }
    case 'ALLOW_ANY':
      if (allPorts && looksUnknownHostsUp(context.scope))
        return tunnelling(forward(ALLOW_ANY_DYNAMIC_DNS, { cluster: DYNAMIC_DNS_CLUSTER }));
      return forward(ALLOW_ANY, { cluster: unknownTcpCluster(context) });
  }
}

/**
 * The virtual host for a listener's own address, where the catch-all looks hosts up: a request that names it would come back for ever.
 * It is what somebody sends who opens the proxy's port in a browser. Empty when nothing is looked up, or services took the names.
 *
 * @param taken the domains of the route configuration's other virtual hosts
 * @param bound where the listener is bound; nobody can name a listener that is not
 */
export function ownAddress(
  context: BuildContext,
  taken: ReadonlySet<string>,
  bound: { address: string; port: number } | undefined,
  allPorts: boolean,
): VirtualHostJson[] {
  const looksUp = looksUnknownHostsUp(context.scope) && (allPorts || unknownTraffic(context.scope) === 'ALLOW_ANY_DYNAMIC_DNS');
  if (!looksUp || bound === undefined) return [];
  const { address, port } = bound;
  const hosts = [...new Set([address.includes(':') ? `[${address}]` : address, LOCALHOST, 'localhost', WILDCARD])];
  const domains = hosts.map((host) => (allPorts ? `${host}:${port}` : host)).filter((d) => !taken.has(d));
  if (domains.length === 0) return [];
  const how = allPorts ? `set HTTP_PROXY=http://${hosts[0]}:${port} and ask for` : 'put into the Host header';
  const body = `${hosts[0]}:${port} is a proxy: ${how} the host that you want\n`;
  return [
    {
      name: OWN_ADDRESS,
      domains,
      // RFC 9110 15.5.20: the server is not able to answer for this authority.
      routes: [{ name: OWN_ADDRESS, match: { prefix: '/' }, directResponse: { status: 421, body: { inlineString: body } } }],
    },
  ];
}
