import type { FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Protocol } from '../mesh/types.ts';
import { httpAccessLogs } from './access-log.ts';
import { typed } from './any.ts';
import type { BuildContext } from './context.ts';
import { dnsCaches } from './dns-caches.ts';
import { httpFilters } from './http-filters.ts';
import { httpPolicyFilters } from './security/http-policies.ts';
import { tracing } from './tracing.ts';

const serverName = 'istio-envoy';

/** What connection managers differ in. */
export interface HttpConnectionManagerOptions {
  role: 'outbound' | 'inbound' | 'gateway';
  statPrefix: string;
  /** By RDS, or inline. */
  routes: string | RouteConfigurationJson;
  protocol: Protocol;
  /** Clients name the whole URL, as they do to a proxy. */
  absoluteUrls?: boolean;
}

/** How paths are cleaned before anything looks at them; the default follows RFC 3986 and leaves escaped slashes alone. */
function pathSettings(normalization: string | undefined): HttpConnectionManagerJson {
  const keep = { pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' as const };
  switch (normalization) {
    case 'NONE':
      return { normalizePath: false, ...keep };
    case 'MERGE_SLASHES':
      return { normalizePath: true, mergeSlashes: true, ...keep };
    case 'DECODE_AND_MERGE_SLASHES':
      return { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: 'UNESCAPE_AND_FORWARD' };
    default:
      return { normalizePath: true, ...keep };
  }
}

/** Who the peer is, and what it is told about that, differs by role. */
function roleSettings(context: BuildContext, role: HttpConnectionManagerOptions['role']): HttpConnectionManagerJson {
  if (role === 'outbound') return { useRemoteAddress: false };
  if (role === 'inbound') {
    return {
      useRemoteAddress: false,
      serverName,
      forwardClientCertDetails: 'APPEND_FORWARD',
      setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
    };
  }
  const { numTrustedProxies: trusted, forwardClientCertDetails: details } = context.mesh.config.defaultConfig?.gatewayTopology ?? {};
  return {
    useRemoteAddress: true,
    serverName,
    forwardClientCertDetails: details === undefined || details === 'UNDEFINED' ? 'SANITIZE_SET' : details,
    setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true },
    ...(trusted ? { xffNumTrustedHops: trusted } : {}),
  };
}

/** The network filter that speaks HTTP. */
export function httpConnectionManager(context: BuildContext, options: HttpConnectionManagerOptions): FilterJson {
  const { config } = context.mesh;
  const { routes } = options;
  const traced = tracing(context);
  const manager: HttpConnectionManagerJson = {
    statPrefix: options.statPrefix,
    ...(typeof routes === 'string'
      ? { rds: { configSource: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' }, routeConfigName: routes } }
      : { routeConfig: routes }),
    httpFilters: httpFilters(
      options.protocol,
      options.role === 'inbound' ? [] : dnsCaches(context.scope),
      options.role === 'outbound' ? [] : httpPolicyFilters(context),
    ),
    ...(options.absoluteUrls && { httpProtocolOptions: { allowAbsoluteUrl: true } }),
    ...roleSettings(context, options.role),
    accessLog: httpAccessLogs(context),
    ...(traced && { tracing: traced.tracing }),
    proxy100Continue: true,
    streamIdleTimeout: '0s',
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    ...pathSettings(config.pathNormalization?.normalization),
    requestIdExtension: {
      typedConfig: typed('envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', {
        useRequestIdForTraceSampling: traced?.useRequestId ?? true,
      }),
    },
  };
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typedConfig: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', manager),
  };
}
