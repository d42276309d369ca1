/** What a sidecar of Istio's own control plane dumps, cut down to a few of everything; in Envoy's own spelling. */

const type = (name: string): string => `type.googleapis.com/${name}`;
const hcm = (fields: object): object => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: { '@type': type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'), ...fields },
});
const tcp = (cluster: string): object => ({
  name: 'envoy.filters.network.tcp_proxy',
  typed_config: { '@type': type('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'), stat_prefix: cluster, cluster },
});
const http = (name: string, kind: string, fields: object = {}): object => ({
  name,
  typed_config: { '@type': type(`envoy.extensions.filters.http.${kind}`), ...fields },
});
const router = http('envoy.filters.http.router', 'router.v3.Router');
const istioFilters = [
  {
    name: 'istio.metadata_exchange',
    typed_config: { '@type': type('udpa.type.v1.TypedStruct'), type_url: type('io.istio.http.peer_metadata.Config') },
  },
  http('envoy.filters.http.grpc_stats', 'grpc_stats.v3.FilterConfig', { emit_filter_state: true }),
  { name: 'istio.alpn', typed_config: { '@type': type('istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig') } },
  http('envoy.filters.http.fault', 'fault.v3.HTTPFault'),
  http('envoy.filters.http.cors', 'cors.v3.Cors'),
  { name: 'istio.stats', typed_config: { '@type': type('stats.PluginConfig') } },
];
const listener = (name: string, address: string, port: number, more: object): object => ({
  name,
  active_state: {
    listener: {
      '@type': type('envoy.config.listener.v3.Listener'),
      name,
      address: { socket_address: { address, port_value: port } },
      traffic_direction: 'OUTBOUND',
      ...more,
    },
  },
});
const cluster = (name: string, more: object = {}): object => ({
  cluster: {
    '@type': type('envoy.config.cluster.v3.Cluster'),
    name,
    type: 'EDS',
    eds_cluster_config: { service_name: name },
    connect_timeout: '10s',
    ...more,
  },
});
const assignment = (name: string, ...addresses: string[]): object => ({
  endpoint_config: {
    '@type': type('envoy.config.endpoint.v3.ClusterLoadAssignment'),
    cluster_name: name,
    endpoints: [
      {
        locality: { region: 'eu', zone: 'eu-1' },
        lb_endpoints: addresses.map((address) => ({
          endpoint: { address: { socket_address: { address, port_value: 9080 } } },
          health_status: 'HEALTHY',
          load_balancing_weight: 1,
        })),
      },
    ],
  },
});

const REVIEWS = 'outbound|9080|v2|reviews.default.svc.cluster.local';
const MYSQL = 'outbound|3306||mysql.default.svc.cluster.local';

/** @param more HTTP filters in front of the router of the inbound chain */
export function istioDump(more: readonly object[] = []): string {
  return JSON.stringify({
    configs: [
      {
        '@type': type('envoy.admin.v3.BootstrapConfigDump'),
        bootstrap: {
          node: { id: 'sidecar~10.0.0.7~web-1.default~default.svc.cluster.local', metadata: { NAME: 'web-1', NAMESPACE: 'default' } },
        },
      },
      {
        '@type': type('envoy.admin.v3.ClustersConfigDump'),
        dynamic_active_clusters: [
          cluster(REVIEWS, {
            transport_socket_matches: [
              {
                name: 'tlsMode-istio',
                match: { tlsMode: 'istio' },
                transport_socket: {
                  name: 'envoy.transport_sockets.tls',
                  typed_config: {
                    '@type': type('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
                    common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'default' }] },
                    sni: 'outbound_.9080_.v2_.reviews.default.svc.cluster.local',
                  },
                },
              },
              { name: 'tlsMode-disabled', match: {}, transport_socket: { name: 'envoy.transport_sockets.raw_buffer' } },
            ],
            metadata: {
              filter_metadata: { istio: { config: '/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews' } },
            },
          }),
          cluster(MYSQL),
          cluster('PassthroughCluster', { type: 'ORIGINAL_DST', eds_cluster_config: undefined }),
          cluster('inbound|9080||', { type: 'ORIGINAL_DST', eds_cluster_config: undefined }),
        ],
      },
      {
        '@type': type('envoy.admin.v3.ListenersConfigDump'),
        dynamic_listeners: [
          listener('virtualOutbound', '0.0.0.0', 15001, {
            use_original_dst: true,
            filter_chains: [{ name: 'virtualOutbound-catchall-tcp', filters: [tcp('PassthroughCluster')] }],
          }),
          listener('0.0.0.0_9080', '0.0.0.0', 9080, {
            bind_to_port: false,
            listener_filters: [
              {
                name: 'envoy.filters.listener.tls_inspector',
                typed_config: { '@type': type('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector') },
              },
              {
                name: 'envoy.filters.listener.http_inspector',
                typed_config: { '@type': type('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector') },
              },
            ],
            filter_chains: [
              {
                filter_chain_match: { transport_protocol: 'raw_buffer', application_protocols: ['http/1.1', 'h2c'] },
                filters: [
                  hcm({
                    stat_prefix: 'outbound_0.0.0.0_9080',
                    rds: { route_config_name: '9080' },
                    http_filters: [...istioFilters, router],
                  }),
                ],
              },
            ],
            default_filter_chain: { name: 'PassthroughFilterChain', filters: [tcp('PassthroughCluster')] },
          }),
          listener('10.96.0.5_3306', '10.96.0.5', 3306, {
            bind_to_port: false,
            filter_chains: [{ filters: [{ name: 'istio.stats', typed_config: { '@type': type('stats.PluginConfig') } }, tcp(MYSQL)] }],
          }),
          listener('virtualInbound', '0.0.0.0', 15006, {
            traffic_direction: 'INBOUND',
            listener_filters: [
              {
                name: 'envoy.filters.listener.original_dst',
                typed_config: { '@type': type('envoy.extensions.filters.listener.original_dst.v3.OriginalDst') },
              },
            ],
            filter_chains: [
              {
                name: '0.0.0.0_9080',
                filter_chain_match: { destination_port: 9080, transport_protocol: 'raw_buffer' },
                filters: [
                  hcm({
                    stat_prefix: 'inbound_0.0.0.0_9080',
                    route_config: {
                      name: 'inbound|9080||',
                      virtual_hosts: [
                        {
                          name: 'inbound|http|9080',
                          domains: ['*'],
                          routes: [{ name: 'default', match: { prefix: '/' }, route: { cluster: 'inbound|9080||' } }],
                        },
                      ],
                    },
                    http_filters: [...more, ...istioFilters, router],
                  }),
                ],
              },
            ],
          }),
        ],
      },
      {
        '@type': type('envoy.admin.v3.RoutesConfigDump'),
        dynamic_route_configs: [
          {
            route_config: {
              '@type': type('envoy.config.route.v3.RouteConfiguration'),
              name: '9080',
              ignore_port_in_host_matching: true,
              virtual_hosts: [
                {
                  name: 'reviews.default.svc.cluster.local:9080',
                  domains: ['reviews.default.svc.cluster.local', 'reviews', 'reviews.default', '10.96.0.9'],
                  routes: [
                    {
                      name: 'plugin',
                      match: {
                        path_match_policy: {
                          name: 'template',
                          typed_config: {
                            '@type': type('envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig'),
                            path_template: '/t/{id}',
                          },
                        },
                      },
                      route: { cluster: REVIEWS },
                    },
                    {
                      match: { prefix: '/', headers: [{ name: 'end-user', string_match: { exact: 'jason' } }] },
                      route: { cluster: REVIEWS, timeout: '0s', rate_limits: [{ actions: [{ remote_address: {} }] }] },
                      metadata: {
                        filter_metadata: { istio: { config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews' } },
                      },
                    },
                  ],
                },
                {
                  name: 'allow_any',
                  domains: ['*'],
                  routes: [{ name: 'allow_any', match: { prefix: '/' }, route: { cluster: 'PassthroughCluster' } }],
                },
              ],
            },
          },
        ],
      },
      {
        '@type': type('envoy.admin.v3.EndpointsConfigDump'),
        dynamic_endpoint_configs: [assignment(REVIEWS, '10.0.0.21', '10.0.0.22'), assignment(MYSQL, '10.0.0.31')],
      },
    ],
  });
}

/** Istio's authorization as it stands in the inbound chain. */
export const rbacFilter = (action: string, path: string): object =>
  http('envoy.filters.http.rbac', 'rbac.v3.RBAC', {
    rules: {
      action,
      policies: {
        'ns[default]-policy[web]-rule[0]': { permissions: [{ url_path: { path: { exact: path } } }], principals: [{ any: true }] },
      },
    },
  });
