import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { timeouts } from './action.ts';

/**
 * The route for CONNECT at the HTTP proxy (RFC 9110 9.3.6; HTTPS_PROXY): what the client sends goes to the cluster as it is. No other route
 * takes a CONNECT, and it takes nothing else. Envoy: connect_matcher, upgrade_configs with connect_config.
 */
export function connectRoute(cluster: string): RouteJson {
  return {
    name: 'connect',
    match: { connectMatcher: {} },
    route: { cluster, upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }], ...timeouts(undefined) },
  };
}
