import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { AddressJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { ProxyNode, ResolvedMeshConfig } from '../../mesh/types.ts';
import { typed } from '../any.ts';
import { withHttpOptions } from '../clusters/upstream-protocol.ts';
import { nodeJson } from './node.ts';
import { statsConfig } from './stats-config.ts';

/** Where a proxy's local ends are: a TCP address, or a unix socket. */
export type LocalAddress = { address: string; port: number } | { path: string };

export interface BootstrapOptions {
  config: ResolvedMeshConfig;
  /** Fairlead's version. */
  version: string;
  /** Envoy's admin API; Istio's is 127.0.0.1:15000. */
  admin: LocalAddress;
  /** The unix socket on which the agent serves ADS. */
  xdsPath: string;
  /** Incremental xDS; true unless said otherwise, as in Istio. */
  delta?: boolean;
  /** Where the agent answers health checks, for the `agent` cluster and its listener. */
  status?: { address: string; port: number };
  /** Ports on all addresses that serve `/stats/prometheus` and `/healthz/ready`; Istio's are 15090 and 15021. None without them. */
  metricsPort?: number;
  readinessPort?: number;
}

/** How soon Envoy asks a restarted agent again; its own default waits up to 30 s. The socket is local, so asking costs nothing. */
const RECONNECT = { baseInterval: '0.100s', maxInterval: '0.500s' };

function addressJson(at: LocalAddress): AddressJson {
  return 'path' in at ? { pipe: { path: at.path } } : { socketAddress: { address: at.address, portValue: at.port } };
}

function staticCluster(name: string, at: LocalAddress, connectTimeout: string, more: Partial<ClusterJson> = {}): ClusterJson {
  return {
    name,
    type: 'STATIC',
    connectTimeout,
    lbPolicy: 'ROUND_ROBIN',
    ...more,
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address: addressJson(at) } }] }] },
  };
}

/** The connection to the agent. Breakers are wide open: config must get through when everything else is stuck. */
function xdsCluster(path: string): ClusterJson {
  const limits = { maxConnections: 100_000, maxPendingRequests: 100_000, maxRequests: 100_000 };
  return staticCluster('xds-grpc', { path }, '1s', {
    circuitBreakers: {
      thresholds: [
        { priority: 'DEFAULT', ...limits },
        { priority: 'HIGH', ...limits },
      ],
    },
    upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 300 } },
    ...withHttpOptions({
      commonHttpProtocolOptions: { maxRequestsPerConnection: 1 },
      explicitHttpConfig: { http2ProtocolOptions: {} },
    }),
  });
}

/** A listener on all addresses that passes one prefix on to a static cluster. */
function staticListener(port: number, statPrefix: string, prefix: string, cluster: string): ListenerJson {
  return {
    name: `0.0.0.0_${port}`,
    address: { socketAddress: { address: '0.0.0.0', portValue: port } },
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typedConfig: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
              codecType: 'AUTO',
              statPrefix,
              routeConfig: { virtualHosts: [{ name: 'backend', domains: ['*'], routes: [{ match: { prefix }, route: { cluster } }] }] },
              httpFilters: [{ name: 'envoy.filters.http.router', typedConfig: typed('envoy.extensions.filters.http.router.v3.Router') }],
            }),
          },
        ],
      },
    ],
  };
}

function staticResources(options: BootstrapOptions): NonNullable<BootstrapJson['staticResources']> {
  const { status, metricsPort, readinessPort } = options;
  return {
    clusters: [
      staticCluster('prometheus_stats', options.admin, '0.250s'),
      ...(status ? [staticCluster('agent', status, '0.250s')] : []),
      xdsCluster(options.xdsPath),
    ],
    ...((metricsPort || readinessPort) && {
      listeners: [
        ...(metricsPort ? [staticListener(metricsPort, 'stats', '/stats/prometheus', 'prometheus_stats')] : []),
        ...(readinessPort && status ? [staticListener(readinessPort, 'agent', '/healthz/ready', 'agent')] : []),
      ],
    }),
  };
}

/** What Envoy starts with, camelCase: who it is, its admin API, the agent's xDS socket and Istio's runtime settings. */
export function bootstrap(proxy: ProxyNode, options: BootstrapOptions): BootstrapJson {
  const ads = { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' } as const;
  return {
    node: nodeJson(proxy, options.config, options.version),
    staticResources: staticResources(options),
    dynamicResources: {
      ldsConfig: ads,
      cdsConfig: ads,
      adsConfig: {
        apiType: options.delta === false ? 'GRPC' : 'DELTA_GRPC',
        transportApiVersion: 'V3',
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ envoyGrpc: { clusterName: 'xds-grpc', retryPolicy: { retryBackOff: RECONNECT } } }],
      },
    },
    statsConfig: statsConfig(),
    deferredStatOptions: { enableDeferredCreationStats: true },
    statsFlushInterval: '5s',
    // Istio sets no limit either; Envoy warns when nothing is said.
    overloadManager: {
      resourceMonitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typedConfig: typed('envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig', {
            maxActiveDownstreamConnections: '2147483647',
          }),
        },
      ],
    },
    layeredRuntime: {
      layers: [
        {
          name: 'global config',
          staticLayer: {
            're2.max_program_size.error_level': '32768',
            'envoy.reloadable_features.http_reject_path_with_fragment': false,
            'envoy.reloadable_features.fixed_heap_use_allocated': true,
            'envoy.reloadable_features.coalesce_lb_rebuilds_on_batch_update': false,
            'envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst': true,
          },
        },
        { name: 'admin', adminLayer: {} },
      ],
    },
    admin: {
      accessLog: [
        {
          name: 'envoy.access_loggers.file',
          typedConfig: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path: '/dev/null' }),
        },
      ],
      address: addressJson(options.admin),
    },
  };
}
