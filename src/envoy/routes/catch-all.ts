import type { RouteActionJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { BuildContext } from '../context.ts';
import { ALLOW_ANY, ALLOW_ANY_DYNAMIC_DNS, BLACK_HOLE_CLUSTER, BLOCK_ALL, DYNAMIC_DNS_CLUSTER, PASSTHROUGH_CLUSTER } from '../names.ts';
import { timeouts } from './action.ts';
import { resolveDestination } from './destination.ts';

/** What becomes of calls to services that are not known. */
export type UnknownTraffic = 'ALLOW_ANY' | 'REGISTRY_ONLY' | 'ALLOW_ANY_DYNAMIC_DNS';

/** The proxy's mode: its Sidecar's, else the mesh's, else ALLOW_ANY. */
export function unknownTraffic({ scope }: BuildContext): UnknownTraffic {
  return (scope.outboundTrafficPolicy.mode as UnknownTraffic | undefined) ?? 'ALLOW_ANY';
}

/** The cluster for unknown connections: a Sidecar's `egressProxy`, the original destination, or the black hole. */
export function unknownTcpCluster(context: BuildContext): string {
  if (unknownTraffic(context) === 'REGISTRY_ONLY') return BLACK_HOLE_CLUSTER;
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

/** The virtual host for hosts that nothing knows. */
export function catchAllVirtualHost(context: BuildContext): VirtualHostJson {
  switch (unknownTraffic(context)) {
    case 'REGISTRY_ONLY':
      return {
        name: BLOCK_ALL,
        domains: ['*'],
        routes: [{ name: BLOCK_ALL, match: { prefix: '/' }, directResponse: { status: 502 } }],
        includeRequestAttemptCount: true,
      };
    case 'ALLOW_ANY_DYNAMIC_DNS':
      return forward(ALLOW_ANY_DYNAMIC_DNS, { cluster: DYNAMIC_DNS_CLUSTER });
    default:
      return forward(ALLOW_ANY, { cluster: unknownTcpCluster(context) });
  }
}
