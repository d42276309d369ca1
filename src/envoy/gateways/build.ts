import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { BuildContext } from '../context.ts';
import { gatewayListener } from './listeners.ts';
import { gatewayRoutes } from './routes.ts';
import { type GatewayServer, gatewayPorts } from './servers.ts';

/** The listeners and route configurations of a gateway proxy. */
export function buildGateway(context: BuildContext): { listeners: ListenerJson[]; routes: RouteConfigurationJson[] } {
  const listeners: ListenerJson[] = [];
  const byRoute = new Map<string, GatewayServer[]>();
  for (const at of gatewayPorts(context)) {
    const listener = gatewayListener(context, at);
    if (listener !== undefined) listeners.push(listener);
    for (const server of at.servers) {
      if (server.routeName === undefined) continue;
      const there = byRoute.get(server.routeName);
      if (there === undefined) byRoute.set(server.routeName, [server]);
      else there.push(server);
    }
  }
  return { listeners, routes: [...byRoute].map(([name, servers]) => gatewayRoutes(context, name, servers)) };
}
