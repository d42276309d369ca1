/** What an EnvoyFilter patches: matches on generated Envoy objects. */
import type { Static } from 'typebox';
import { choice, integer, message, port, string, stringMap } from '../schema.ts';

const SubFilterMatch = message('An HTTP filter inside the HTTP connection manager.', { name: string('Its name.') });

const FilterMatch = message('A network filter.', {
  name: string('Its name, such as `envoy.filters.network.http_connection_manager`.'),
  subFilter: SubFilterMatch,
});

export const ProxyMatch = message('Proxies by version and metadata.', {
  proxyVersion: string("RE2 expression, looked for in the proxy's version."),
  metadata: stringMap('Entries of the node metadata that must be there, with exactly these values.'),
});

export const ClusterMatch = message('Clusters; what is left out matches all.', {
  portNumber: port('Port of the service; for inbound clusters the target port.'),
  service: string('Full host of the service.'),
  subset: string('Subset of the service.'),
  name: string('Name of the cluster.'),
});

export const RouteConfigurationMatch = message('Route configurations, and virtual hosts and routes in them.', {
  portNumber: port('Port of the service, or of the gateway server.'),
  portName: string('Gateways: name of the port.'),
  gateway: string('Gateways: the Gateway, as `namespace/name`.'),
  vhost: message('A virtual host.', {
    name: string('Its name, such as `reviews.default.svc.cluster.local:80`.'),
    domainName: string('A domain of the virtual host.'),
    route: message('A route.', {
      name: string('Its name.'),
      action: choice(['ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE'], 'What the route does. ANY, the default: anything.'),
    }),
  }),
  name: string('Name of the route configuration.'),
});

export const ListenerMatch = message('Listeners, and filter chains and filters in them.', {
  portNumber: port('Port of the listener.'),
  portName: string('Not used.'),
  filterChain: message('A filter chain.', {
    name: string('Its name.'),
    sni: string('A server name of its match.'),
    transportProtocol: string('The transport protocol of its match: `raw_buffer` or `tls`.'),
    applicationProtocols: string('The application protocols of its match, joined by commas.'),
    filter: FilterMatch,
    destinationPort: port('The destination port of its match.'),
  }),
  listenerFilter: string('Name of a listener filter.'),
  name: string('Name of the listener.'),
});

export const WaypointMatch = message('Objects of a waypoint proxy.', {
  portNumber: integer('Port of the service.', { minimum: 1, maximum: 65535 }),
  route: message('A route.', { name: string('Its name; `default` for generated ones.') }),
  filter: FilterMatch,
});

export const EnvoyConfigObjectMatch = message(
  'Which generated objects are patched.',
  {
    context: choice(
      ['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY', 'WAYPOINT'],
      'Which side of which proxies. ANY, the default: all but waypoints.',
    ),
    proxy: ProxyMatch,
    listener: ListenerMatch,
    routeConfiguration: RouteConfigurationMatch,
    cluster: ClusterMatch,
    waypoint: WaypointMatch,
  },
  { oneOf: [['listener', 'routeConfiguration', 'cluster', 'waypoint']] },
);

export type EnvoyConfigObjectMatch = Static<typeof EnvoyConfigObjectMatch>;
