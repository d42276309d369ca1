import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';

/** Direct responses may be this long: Envoy's default is 4 KiB, Istio's API promises 1 MiB. */
const maxDirectResponseBytes = 1_048_576;

/**
 * A route configuration that is delivered by RDS.
 *
 * @param allPorts the listener serves every port: domains carry ports then, which Envoy must not cut off before it compares
 */
export function routeConfiguration(name: string, virtualHosts: VirtualHostJson[], allPorts = false): RouteConfigurationJson {
  return {
    name,
    virtualHosts,
    validateClusters: false,
    maxDirectResponseBodySizeBytes: maxDirectResponseBytes,
    ...(!allPorts && { ignorePortInHostMatching: true }),
  };
}
