import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Protocol } from '../mesh/types.ts';
import { typed } from './any.ts';
import { DYNAMIC_DNS_CACHE } from './names.ts';

const type = (name: string, fields?: object): AnyJson => typed(`envoy.extensions.filters.http.${name}`, fields);

const grpcWeb: HttpFilterJson = { name: 'envoy.filters.http.grpc_web', typedConfig: type('grpc_web.v3.GrpcWeb') };
const grpcStats: HttpFilterJson = {
  name: 'envoy.filters.http.grpc_stats',
  typedConfig: type('grpc_stats.v3.FilterConfig', { emitFilterState: true, statsForAllMethods: false }),
};
const fault: HttpFilterJson = { name: 'envoy.filters.http.fault', typedConfig: type('fault.v3.HTTPFault') };
const cors: HttpFilterJson = { name: 'envoy.filters.http.cors', typedConfig: type('cors.v3.Cors') };
const router: HttpFilterJson = { name: 'envoy.filters.http.router', typedConfig: type('router.v3.Router') };
const dynamicForwardProxy: HttpFilterJson = {
  name: 'envoy.filters.http.dynamic_forward_proxy',
  typedConfig: type('dynamic_forward_proxy.v3.FilterConfig', {
    dnsCacheConfig: { name: DYNAMIC_DNS_CACHE, dnsLookupFamily: 'V4_ONLY', maxHosts: 1024 },
  }),
};

/**
 * The HTTP filters of a connection manager, in Istio's order, without Istio's own extensions (metadata exchange, alpn, stats).
 * Policies come in front of `grpc_web`: custom authorization, JWT, RBAC.
 */
export function httpFilters(protocol: Protocol, dynamicDns: boolean): HttpFilterJson[] {
  return [...(protocol === 'GRPC-Web' ? [grpcWeb] : []), grpcStats, fault, cors, ...(dynamicDns ? [dynamicForwardProxy] : []), router];
}
