import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { Service, ServicePort } from '../../mesh/types.ts';
import { routeHashPolicies } from '../clusters/hash-policy.ts';
import type { BuildContext } from '../context.ts';
import { clusterName, DEFAULT_ROUTE } from '../names.ts';
import { timeouts } from './action.ts';
import { retryPolicy } from './retry.ts';

/** The one route of a service that no VirtualService covers. */
export function defaultRoute(context: BuildContext, service: Service, port: ServicePort): RouteJson {
  const hashPolicy = routeHashPolicies(context.scope, service, undefined, port);
  const retry = retryPolicy(undefined, context.mesh.config.defaultHttpRetryPolicy, hashPolicy.length > 0);
  return {
    name: DEFAULT_ROUTE,
    match: { prefix: '/' },
    route: {
      cluster: clusterName('outbound', port.number, '', service.host),
      ...timeouts(undefined),
      ...(retry && { retryPolicy: retry }),
      ...(hashPolicy.length > 0 && { hashPolicy }),
    },
    decorator: { operation: `${service.host}:${port.number}/*` },
  };
}
