/** Pieces of configuration for TLS tests; secrets are `default` and `ROOTCA`. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { FilterJson, ListenerFilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { SubjectAltNameMatcherJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { CommonTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export const uri = (exact: string): SubjectAltNameMatcherJson => ({ sanType: 'URI', matcher: { exact } });

/** Certificate `default`, peers by `ROOTCA` and one of these names (none: any name). */
export function mutual(names: SubjectAltNameMatcherJson[] = [], more: CommonTlsContextJson = {}): CommonTlsContextJson {
  return {
    tlsCertificateSdsSecretConfigs: [{ name: 'default' }],
    combinedValidationContext: {
      defaultValidationContext: { matchTypedSubjectAltNames: names },
      validationContextSdsSecretConfig: { name: 'ROOTCA' },
    },
    ...more,
  };
}

export function downstream(commonTlsContext: CommonTlsContextJson, more: object = { requireClientCertificate: true }): TransportSocketJson {
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: { '@type': `${TLS}.DownstreamTlsContext`, commonTlsContext, ...more } as never,
  };
}

export function upstream(commonTlsContext: CommonTlsContextJson, more: object = {}): TransportSocketJson {
  return { name: 'envoy.transport_sockets.tls', typedConfig: { '@type': `${TLS}.UpstreamTlsContext`, commonTlsContext, ...more } as never };
}

export const TLS_INSPECTOR: ListenerFilterJson = {
  name: 'tls',
  typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
};

/** An HTTP connection manager with these routes. */
export function http(routes: object[], more: object = {}): FilterJson {
  return {
    name: 'hcm',
    typedConfig: {
      '@type': `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`,
      statPrefix: 'http',
      routeConfig: { name: 'r', virtualHosts: [{ name: 'v', domains: ['*'], routes }] },
      httpFilters: [
        {
          name: 'envoy.filters.http.router',
          typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
      ...more,
    } as never,
  };
}

export function tcp(cluster: string): FilterJson {
  return { name: 'tcp', typedConfig: { '@type': `${NETWORK}.tcp_proxy.v3.TcpProxy`, statPrefix: 'tcp', cluster } as never };
}

/** A static cluster of one host. */
export function cluster(name: string, port: number, more: ClusterJson = {}): ClusterJson {
  const endpoint = { address: { socketAddress: { address: '127.0.0.1', portValue: port } } };
  return {
    name,
    type: 'STATIC',
    connectTimeout: '1s',
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint }] }] },
    ...more,
  };
}

export function httpOptions(options: object): ClusterJson {
  const explicit = { explicitHttpConfig: { httpProtocolOptions: {} } };
  return {
    typedExtensionProtocolOptions: { [HTTP_OPTIONS]: { '@type': `type.googleapis.com/${HTTP_OPTIONS}`, ...explicit, ...options } as never },
  };
}

/** A header of answers for each operator: `x-upstream-host` for `UPSTREAM_HOST`. */
export function shown(...operators: string[]): object[] {
  return operators.map((operator) => ({
    header: {
      key: `x-${operator
        .toLowerCase()
        .replaceAll(/[^a-z_]/g, '')
        .replaceAll('_', '-')}`,
      value: `%${operator}%`,
    },
  }));
}
