/**
 * The generated files whose messages appear in, or inside an Any of, the configuration and the dumps that Fairlead reads and writes.
 * What these import comes with them. Reading all of them costs some 0.3 s (less when bundled), so this module is for `await import()` by what converts names.
 */
import type { DescFile } from '@bufbuild/protobuf';
import * as adminV3Certs from '#envoy-api/envoy/admin/v3/certs_pb.js';
import * as adminV3Clusters from '#envoy-api/envoy/admin/v3/clusters_pb.js';
import * as adminV3ConfigDump from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import * as adminV3Listeners from '#envoy-api/envoy/admin/v3/listeners_pb.js';
import * as adminV3Memory from '#envoy-api/envoy/admin/v3/memory_pb.js';
import * as adminV3Metrics from '#envoy-api/envoy/admin/v3/metrics_pb.js';
import * as adminV3MutexStats from '#envoy-api/envoy/admin/v3/mutex_stats_pb.js';
import * as adminV3ServerInfo from '#envoy-api/envoy/admin/v3/server_info_pb.js';
import * as accesslogV3Accesslog from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import * as bootstrapV3Bootstrap from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import * as clusterV3Cluster from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import * as endpointV3Endpoint from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import * as listenerV3Listener from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import * as rbacV3Rbac from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import * as routeV3Route from '#envoy-api/envoy/config/route/v3/route_pb.js';
import * as traceV3Opentelemetry from '#envoy-api/envoy/config/trace/v3/opentelemetry_pb.js';
import * as traceV3Zipkin from '#envoy-api/envoy/config/trace/v3/zipkin_pb.js';
import * as accessLoggersFileV3File from '#envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js';
import * as accessLoggersFiltersCelV3Cel from '#envoy-api/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';
import * as accessLoggersGrpcV3Als from '#envoy-api/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import * as clustersDynamicForwardProxyV3Cluster from '#envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js';
import * as commonDynamicForwardProxyV3DnsCache from '#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import * as filtersHttpCorsV3Cors from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import * as filtersHttpDynamicForwardProxyV3DynamicForwardProxy from '#envoy-api/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js';
import * as filtersHttpExtAuthzV3ExtAuthz from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import * as filtersHttpFaultV3Fault from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import * as filtersHttpGrpcStatsV3 from '#envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import * as filtersHttpGrpcWebV3GrpcWeb from '#envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js';
import * as filtersHttpJwtAuthnV3 from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import * as filtersHttpLocalRatelimitV3LocalRateLimit from '#envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
import * as filtersHttpLuaV3Lua from '#envoy-api/envoy/extensions/filters/http/lua/v3/lua_pb.js';
import * as filtersHttpOnDemandV3OnDemand from '#envoy-api/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js';
import * as filtersHttpRbacV3Rbac from '#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import * as filtersHttpRouterV3Router from '#envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js';
import * as filtersHttpStatefulSessionV3StatefulSession from '#envoy-api/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js';
import * as filtersHttpWasmV3Wasm from '#envoy-api/envoy/extensions/filters/http/wasm/v3/wasm_pb.js';
import * as filtersListenerHttpInspectorV3HttpInspector from '#envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js';
import * as filtersListenerOriginalDstV3OriginalDst from '#envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import * as filtersListenerOriginalSrcV3OriginalSrc from '#envoy-api/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js';
import * as filtersListenerProxyProtocolV3ProxyProtocol from '#envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js';
import * as filtersListenerTlsInspectorV3TlsInspector from '#envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
import * as filtersNetworkExtAuthzV3ExtAuthz from '#envoy-api/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import * as filtersNetworkHttpConnectionManagerV3HttpConnectionManager from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import * as filtersNetworkMongoProxyV3MongoProxy from '#envoy-api/envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy_pb.js';
import * as filtersNetworkRbacV3Rbac from '#envoy-api/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import * as filtersNetworkSniClusterV3SniCluster from '#envoy-api/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js';
import * as filtersNetworkTcpProxyV3TcpProxy from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import * as httpOriginalIpDetectionXffV3Xff from '#envoy-api/envoy/extensions/http/original_ip_detection/xff/v3/xff_pb.js';
import * as loadBalancingPoliciesClientSideWeightedRoundRobinV3ClientSideWeightedRoundRobin from '#envoy-api/envoy/extensions/load_balancing_policies/client_side_weighted_round_robin/v3/client_side_weighted_round_robin_pb.js';
import * as networkDnsResolverCaresV3CaresDnsResolver from '#envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js';
import * as pathMatchUriTemplateV3UriTemplateMatch from '#envoy-api/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import * as requestIdUuidV3Uuid from '#envoy-api/envoy/extensions/request_id/uuid/v3/uuid_pb.js';
import * as resourceMonitorsDownstreamConnectionsV3 from '#envoy-api/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.js';
import * as retryHostPreviousHostsV3PreviousHosts from '#envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import * as retryPriorityPreviousPrioritiesV3PreviousPrioritiesConfig from '#envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import * as transportSocketsProxyProtocolV3UpstreamProxyProtocol from '#envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import * as transportSocketsRawBufferV3RawBuffer from '#envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import * as transportSocketsTlsV3Tls from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import * as upstreamsHttpV3HttpProtocolOptions from '#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import * as accesslogV3Als from '#envoy-api/envoy/service/accesslog/v3/als_pb.js';
import * as discoveryV3Ads from '#envoy-api/envoy/service/discovery/v3/ads_pb.js';
import * as secretV3Sds from '#envoy-api/envoy/service/secret/v3/sds_pb.js';

const modules: readonly Record<string, unknown>[] = [
  adminV3Certs,
  adminV3Clusters,
  adminV3ConfigDump,
  adminV3Listeners,
  adminV3Memory,
  adminV3Metrics,
  adminV3MutexStats,
  adminV3ServerInfo,
  accesslogV3Accesslog,
  bootstrapV3Bootstrap,
  clusterV3Cluster,
  endpointV3Endpoint,
  listenerV3Listener,
  rbacV3Rbac,
  routeV3Route,
  traceV3Opentelemetry,
  traceV3Zipkin,
  accessLoggersFileV3File,
  accessLoggersFiltersCelV3Cel,
  accessLoggersGrpcV3Als,
  clustersDynamicForwardProxyV3Cluster,
  commonDynamicForwardProxyV3DnsCache,
  filtersHttpCorsV3Cors,
  filtersHttpDynamicForwardProxyV3DynamicForwardProxy,
  filtersHttpExtAuthzV3ExtAuthz,
  filtersHttpFaultV3Fault,
  filtersHttpGrpcStatsV3,
  filtersHttpGrpcWebV3GrpcWeb,
  filtersHttpJwtAuthnV3,
  filtersHttpLocalRatelimitV3LocalRateLimit,
  filtersHttpLuaV3Lua,
  filtersHttpOnDemandV3OnDemand,
  filtersHttpRbacV3Rbac,
  filtersHttpRouterV3Router,
  filtersHttpStatefulSessionV3StatefulSession,
  filtersHttpWasmV3Wasm,
  filtersListenerHttpInspectorV3HttpInspector,
  filtersListenerOriginalDstV3OriginalDst,
  filtersListenerOriginalSrcV3OriginalSrc,
  filtersListenerProxyProtocolV3ProxyProtocol,
  filtersListenerTlsInspectorV3TlsInspector,
  filtersNetworkExtAuthzV3ExtAuthz,
  filtersNetworkHttpConnectionManagerV3HttpConnectionManager,
  filtersNetworkMongoProxyV3MongoProxy,
  filtersNetworkRbacV3Rbac,
  filtersNetworkSniClusterV3SniCluster,
  filtersNetworkTcpProxyV3TcpProxy,
  httpOriginalIpDetectionXffV3Xff,
  loadBalancingPoliciesClientSideWeightedRoundRobinV3ClientSideWeightedRoundRobin,
  networkDnsResolverCaresV3CaresDnsResolver,
  pathMatchUriTemplateV3UriTemplateMatch,
  requestIdUuidV3Uuid,
  resourceMonitorsDownstreamConnectionsV3,
  retryHostPreviousHostsV3PreviousHosts,
  retryPriorityPreviousPrioritiesV3PreviousPrioritiesConfig,
  transportSocketsProxyProtocolV3UpstreamProxyProtocol,
  transportSocketsRawBufferV3RawBuffer,
  transportSocketsTlsV3Tls,
  upstreamsHttpV3HttpProtocolOptions,
  accesslogV3Als,
  discoveryV3Ads,
  secretV3Sds,
];

const isFile = (value: unknown): value is DescFile =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'file';

/** The descriptors of all generated files, with those they import. */
export function apiFiles(): DescFile[] {
  const found = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (found.has(file)) return;
    found.add(file);
    file.dependencies.forEach(add);
  };
  for (const module of modules) Object.values(module).filter(isFile).forEach(add);
  return [...found];
}
