/** Routes in the words that gRPC knows (https://github.com/grpc/proposal/blob/master/A28-xds-traffic-splitting-and-routing.md). */
import type { RouteActionJson, RouteJson, RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';

const FAULT = 'envoy.filters.http.fault';

/**
 * A route that gRPC could not match is left out; it would refuse all of them otherwise. One that does not lead to a cluster (a redirect, a direct
 * response) fails the call: gRPC has no answer of its own to give.
 */
export function grpcRoutes(routes: readonly RouteJson[]): RouteJson[] {
  return routes.flatMap((route) => matchesOf(route.match ?? {}).map((match) => grpcRoute(route, match)));
}

function grpcRoute({ name, route, metadata, typedPerFilterConfig }: RouteJson, match: RouteMatchJson): RouteJson {
  const fault = typedPerFilterConfig?.[FAULT];
  return {
    ...(name !== undefined && { name }),
    match,
    ...(route ? { route: actionOf(route) } : { nonForwardingAction: {} }),
    ...(metadata && { metadata }),
    ...(fault && { typedPerFilterConfig: { [FAULT]: fault } }),
  };
}

function matchesOf(match: RouteMatchJson): RouteMatchJson[] {
  const { pathSeparatedPrefix, ...rest } = match;
  if (pathSeparatedPrefix !== undefined)
    return [
      { ...rest, path: pathSeparatedPrefix },
      { ...rest, prefix: `${pathSeparatedPrefix}/` },
    ];
  // Query parameters never match a call.
  if (match.queryParameters?.length) return [];
  return match.prefix !== undefined || match.path !== undefined || match.safeRegex !== undefined ? [match] : [];
}

function actionOf({
  retryPolicy,
  cluster,
  weightedClusters,
  timeout,
  maxStreamDuration,
  maxGrpcTimeout,
  hashPolicy,
}: RouteActionJson): RouteActionJson {
  const longest = maxStreamDuration ?? (timeout === undefined || timeout === '0s' ? undefined : { maxStreamDuration: timeout });
  return {
    ...(cluster !== undefined && { cluster }),
    ...(weightedClusters && {
      weightedClusters: { clusters: (weightedClusters.clusters ?? []).map(({ name, weight }) => ({ name: name!, weight: weight ?? 0 })) },
    }),
    // Envoy's timeout of a request is a stream's longest duration in gRPC (A31).
    ...(longest && { maxStreamDuration: longest }),
    ...(maxGrpcTimeout !== undefined && { maxGrpcTimeout }),
    ...(hashPolicy && { hashPolicy }),
    // No retries are no policy: gRPC refuses the number 0.
    ...(retryPolicy &&
      retryPolicy.numRetries !== 0 && { retryPolicy: { retryOn: retryPolicy.retryOn ?? '', numRetries: retryPolicy.numRetries ?? 1 } }),
  };
}
