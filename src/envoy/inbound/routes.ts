import type { RetryPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Protocol } from '../../mesh/types.ts';
import { DEFAULT_ROUTE, inboundVirtualHostName } from '../names.ts';

/** Requests that the application's side reset before it answered anything can be sent again safely. */
const retryPolicy: RetryPolicyJson = { retryOn: 'reset-before-request', numRetries: 2 };

/**
 * The inline route configuration of an inbound chain: one route for everything.
 *
 * @param servicePort 0 for ports that no service has
 * @param host of the service, for the span's name
 */
export function inboundRoutes(cluster: string, servicePort: number, host: string, protocol: Protocol): RouteConfigurationJson {
  const retries = protocol !== 'GRPC' && protocol !== 'GRPC-Web';
  return {
    name: cluster,
    virtualHosts: [
      {
        name: inboundVirtualHostName(servicePort),
        domains: ['*'],
        routes: [
          {
            name: DEFAULT_ROUTE,
            match: { prefix: '/' },
            route: {
              cluster,
              timeout: '0s',
              maxStreamDuration: { maxStreamDuration: '0s', grpcTimeoutHeaderMax: '0s' },
              ...(retries && { retryPolicy }),
            },
            decorator: { operation: `${host}:${servicePort}/*` },
          },
        ],
      },
    ],
    validateClusters: false,
  };
}
