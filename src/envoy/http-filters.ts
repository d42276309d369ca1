import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { DnsCacheConfigJson } from '#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Protocol } from '../mesh/types.ts';
import { typed } from './any.ts';

const type = (name: string, fields?: object): AnyJson => typed(`envoy.extensions.filters.http.${name}`, fields);

const grpcWeb: HttpFilterJson = { name: 'envoy.filters.http.grpc_web', typedConfig: type('grpc_web.v3.GrpcWeb') };
const grpcStats: HttpFilterJson = {
  name: 'envoy.filters.http.grpc_stats',
  typedConfig: type('grpc_stats.v3.FilterConfig', { emitFilterState: true, statsForAllMethods: false }),
};
const fault: HttpFilterJson = { name: 'envoy.filters.http.fault', typedConfig: type('fault.v3.HTTPFault') };
const cors: HttpFilterJson = { name: 'envoy.filters.http.cors', typedConfig: type('cors.v3.Cors') };
const router: HttpFilterJson = { name: 'envoy.filters.http.router', typedConfig: type('router.v3.Router') };
const dynamicForwardProxy = (dnsCacheConfig: DnsCacheConfigJson): HttpFilterJson => ({
  name: 'envoy.filters.http.dynamic_forward_proxy',
  typedConfig: type('dynamic_forward_proxy.v3.FilterConfig', { dnsCacheConfig }),
});

/**
 * The HTTP filters of a connection manager, in Istio's order, without Istio's own extensions (metadata exchange, alpn, stats).
 *
 * @param policies filters that carry policies out; they come first
 */
export function httpFilters(
  protocol: Protocol,
  caches: readonly DnsCacheConfigJson[],
  policies: readonly HttpFilterJson[],
): HttpFilterJson[] {
  return [...policies, ...(protocol === 'GRPC-Web' ? [grpcWeb] : []), grpcStats, fault, cors, ...caches.map(dynamicForwardProxy), router];
}
