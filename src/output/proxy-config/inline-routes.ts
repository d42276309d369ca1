import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { describeMatch } from './match.ts';

/** The cluster that everything goes to, when that is all there is. */
function onlyCluster(config: RouteConfigurationJson): string | undefined {
  const [host, ...others] = config.virtualHosts ?? [];
  if (host === undefined || others.length > 0 || host.domains?.length !== 1 || host.domains[0] !== '*' || host.routes?.length !== 1)
    return undefined;
  const route = host.routes[0];
  return route?.match?.prefix === '/' ? route.route?.cluster : undefined;
}

function describeHost(host: VirtualHostJson): string {
  const matches = (host.routes ?? []).map((r) => describeMatch(r.match)).join(', ');
  return host.domains?.length === 1 && host.domains[0] === '*' ? matches : `${(host.domains ?? []).join('/')} ${matches}`;
}

/** Routes that stand inside a listener: the cluster that everything goes to, else `Inline Route: <matches>`. */
export function describeInlineRoutes(config: RouteConfigurationJson): string {
  const cluster = onlyCluster(config);
  if (cluster) return cluster.includes('Cluster') ? cluster : `Cluster: ${cluster}`;
  return `Inline Route: ${(config.virtualHosts ?? []).map(describeHost).join('; ')}`;
}
