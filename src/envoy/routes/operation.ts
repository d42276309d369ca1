import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseClusterName } from '../names.ts';

/** The path as a span's name has it: prefix `/a` gives `/a*`, of segments `/a/*`, exact its path, a regex the expression. */
function pathOf({ match }: RouteJson): string {
  if (match?.pathSeparatedPrefix !== undefined) return `${match.pathSeparatedPrefix}/*`;
  if (match?.prefix !== undefined) return `${match.prefix}*`;
  if (match?.path !== undefined) return match.path;
  return match?.safeRegex?.regex ?? '/*';
}

/**
 * The decorator operation (span name) of a VirtualService's route: the destination's host and port when there is one, else the
 * VirtualService's name and the listener's port.
 */
export function routeOperation(route: RouteJson, virtualService: string, listenPort: number): string {
  const cluster = route.route?.cluster === undefined ? undefined : parseClusterName(route.route.cluster);
  return cluster ? `${cluster.host}:${cluster.port}${pathOf(route)}` : `${virtualService}:${listenPort}${pathOf(route)}`;
}
