import type { RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';

/** A route's path match: `/p*`, `PathPrefix:/p`, `/exact`, `regex <r>`. Headers and query are not shown, as in istioctl. */
export function describeMatch(match: RouteMatchJson | undefined): string {
  const parts: string[] = [];
  if (match?.prefix) parts.push(`${match.prefix}*`);
  if (match?.pathSeparatedPrefix) parts.push(`PathPrefix:${match.pathSeparatedPrefix}`);
  if (match?.path) parts.push(match.path);
  if (match?.safeRegex) parts.push(`regex ${match.safeRegex.regex ?? ''}`);
  return parts.join(' ');
}
