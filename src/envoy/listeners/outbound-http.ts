import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { Protocol } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { httpConnectionManager } from '../http-connection-manager.ts';
import { httpStatPrefix } from '../names.ts';

/** How long a client may take for its part of setting a connection up. */
export const CONNECT_TIMEOUT = { transportSocketConnectTimeout: '15s' } as const;

/**
 * The HTTP chain of an outbound listener, without its match.
 *
 * @param listener the listener's name
 * @param routes the route configuration's name
 */
export function outboundHttpChain(context: BuildContext, listener: string, routes: string, protocol: Protocol): FilterChainJson {
  const hcm = httpConnectionManager(context, {
    role: 'outbound',
    statPrefix: httpStatPrefix('outbound', listener),
    routes,
    protocol,
    absoluteUrls: protocol === 'HTTP_PROXY',
  });
  return { filters: [hcm], ...CONNECT_TIMEOUT };
}
