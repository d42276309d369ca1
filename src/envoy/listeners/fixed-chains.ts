import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { BuildContext } from '../context.ts';
import { BLACK_HOLE_CLUSTER, PASSTHROUGH_CHAIN } from '../names.ts';
import { unknownTcpCluster } from '../routes/catch-all.ts';
import { fixedTcpFilters } from '../tcp-proxy.ts';

/** The default chain of an outbound listener: connections that none of its services are meant by. */
export function passthroughChain(context: BuildContext): FilterChainJson {
  return { name: PASSTHROUGH_CHAIN, filters: fixedTcpFilters(context, unknownTcpCluster(context)) };
}

/** Connections to a capture port itself would loop for ever: they are closed. */
export function blackHoleChain(context: BuildContext, name: string, port: number): FilterChainJson {
  return { name, filterChainMatch: { destinationPort: port }, filters: fixedTcpFilters(context, BLACK_HOLE_CLUSTER) };
}
