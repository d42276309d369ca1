/**
 * The generated files whose messages appear in, or inside an Any of, the configuration and the dumps that Fairlead reads and writes.
 * What these import comes with them. Importing all of them costs some 0.3 s, so only what converts names does.
 */
import type { DescFile } from '@bufbuild/protobuf';

const files: readonly (() => Promise<Record<string, unknown>>)[] = [
  () => import('#envoy-api/envoy/admin/v3/certs_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/clusters_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/config_dump_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/listeners_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/memory_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/metrics_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/mutex_stats_pb.js'),
  () => import('#envoy-api/envoy/admin/v3/server_info_pb.js'),
  () => import('#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js'),
  () => import('#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js'),
  () => import('#envoy-api/envoy/config/cluster/v3/cluster_pb.js'),
  () => import('#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js'),
  () => import('#envoy-api/envoy/config/listener/v3/listener_pb.js'),
  () => import('#envoy-api/envoy/config/rbac/v3/rbac_pb.js'),
  () => import('#envoy-api/envoy/config/route/v3/route_pb.js'),
  () => import('#envoy-api/envoy/config/trace/v3/opentelemetry_pb.js'),
  () => import('#envoy-api/envoy/config/trace/v3/zipkin_pb.js'),
  () => import('#envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js'),
  () => import('#envoy-api/envoy/extensions/access_loggers/grpc/v3/als_pb.js'),
  () => import('#envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js'),
  () => import('#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/lua/v3/lua_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/http/wasm/v3/wasm_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/rbac/v3/rbac_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js'),
  () => import('#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js'),
  () => import('#envoy-api/envoy/extensions/http/original_ip_detection/xff/v3/xff_pb.js'),
  () =>
    import(
      '#envoy-api/envoy/extensions/load_balancing_policies/client_side_weighted_round_robin/v3/client_side_weighted_round_robin_pb.js'
    ),
  () => import('#envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js'),
  () => import('#envoy-api/envoy/extensions/request_id/uuid/v3/uuid_pb.js'),
  () => import('#envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js'),
  () => import('#envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js'),
  () => import('#envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js'),
  () => import('#envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js'),
  () => import('#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js'),
  () => import('#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js'),
  () => import('#envoy-api/envoy/service/accesslog/v3/als_pb.js'),
  () => import('#envoy-api/envoy/service/discovery/v3/ads_pb.js'),
  () => import('#envoy-api/envoy/service/secret/v3/sds_pb.js'),
];

const isFile = (value: unknown): value is DescFile =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'file';

/** The descriptors of all generated files, with those they import. */
export async function loadApiFiles(): Promise<DescFile[]> {
  const found = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (found.has(file)) return;
    found.add(file);
    file.dependencies.forEach(add);
  };
  for (const module of await Promise.all(files.map((load) => load()))) Object.values(module).filter(isFile).forEach(add);
  return [...found];
}
