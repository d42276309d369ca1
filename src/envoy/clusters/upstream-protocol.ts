import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type {
  HttpProtocolOptionsJson as CommonOptionsJson,
  Http2ProtocolOptionsJson,
  UpstreamHttpProtocolOptionsJson,
} from '#envoy-api/envoy/config/core/v3/protocol_pb.js';
import type { HttpProtocolOptionsJson } from '#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { parseDuration } from '../../config/duration.ts';
import { isHttp, isHttp2 } from '../../mesh/protocol.ts';
import type { EffectivePolicy, Protocol, ResolvedMeshConfig } from '../../mesh/types.ts';
import { typed } from '../any.ts';
import { optionalDuration } from './connection-pool.ts';

/** Key of a cluster's `typed_extension_protocol_options`. */
export const httpOptionsKey = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

type HttpPool = NonNullable<NonNullable<EffectivePolicy['connectionPool']>['http']>;

/** How a cluster speaks HTTP to its hosts. `default`: HTTP/1.1, and nothing needs to be written. */
function upstreamMode(
  protocol: Protocol,
  http: HttpPool | undefined,
  config: ResolvedMeshConfig,
  detects: boolean,
): 'default' | 'http2' | 'downstream' {
  // Istio: with useClientProtocol, h2UpgradePolicy has no effect.
  if (http?.useClientProtocol) return 'downstream';
  if (isHttp2(protocol)) return 'http2';
  if (http?.h2UpgradePolicy === 'UPGRADE') return 'http2';
  if (config.h2UpgradePolicy === 'UPGRADE' && http?.h2UpgradePolicy !== 'DO_NOT_UPGRADE' && isHttp(protocol)) return 'http2';
  return protocol === 'detected' && detects ? 'downstream' : 'default';
}

/** Whether a cluster speaks nothing but HTTP/2. */
export function speaksHttp2(protocol: Protocol, policy: EffectivePolicy, config: ResolvedMeshConfig, detects: boolean): boolean {
  return upstreamMode(protocol, policy.connectionPool?.http, config, detects) === 'http2';
}

function http2Options(http: HttpPool | undefined): Http2ProtocolOptionsJson {
  const interval = optionalDuration(http?.http2KeepAlive?.interval);
  const timeout = optionalDuration(http?.http2KeepAlive?.timeout);
  return {
    ...(http?.maxConcurrentStreams ? { maxConcurrentStreams: http.maxConcurrentStreams } : {}),
    // Envoy requires the timeout beside an interval.
    ...(interval && { connectionKeepalive: { interval, timeout: timeout ?? '20s' } }),
  };
}

function commonOptions(policy: EffectivePolicy): CommonOptionsJson | undefined {
  const { http, tcp } = policy.connectionPool ?? {};
  // Of the two, only TCP's may be 0s: never.
  const never = tcp?.idleTimeout !== undefined && parseDuration(tcp.idleTimeout) === 0 ? '0s' : undefined;
  const idleTimeout = optionalDuration(http?.idleTimeout) ?? optionalDuration(tcp?.idleTimeout) ?? never;
  const maxConnectionDuration = optionalDuration(tcp?.maxConnectionDuration);
  const maxRequestsPerConnection = http?.maxRequestsPerConnection || undefined;
  if (!idleTimeout && !maxConnectionDuration && !maxRequestsPerConnection) return undefined;
  return {
    ...(idleTimeout && { idleTimeout }),
    ...(maxConnectionDuration && { maxConnectionDuration }),
    ...(maxRequestsPerConnection && { maxRequestsPerConnection }),
  };
}

/** Envoy refuses a dynamic forward proxy that, once it speaks TLS, would not check the name that it resolved. */
export const forwardOptions = { autoSni: true, autoSanValidation: true } as const;

/** `typed_extension_protocol_options` with these HTTP options. */
export function withHttpOptions(options: HttpProtocolOptionsJson): Partial<ClusterJson> {
  return { typedExtensionProtocolOptions: { [httpOptionsKey]: typed(httpOptionsKey, options) } };
}

/**
 * The HTTP options of a cluster, or nothing when Envoy's defaults (HTTP/1.1) are meant or the port is not HTTP.
 *
 * @param detects whether the proxy finds out a detected port's protocol itself (sidecars do, gateways do not)
 * @param tls.named what the request says of the server's name
 * @param tls.always a dynamic forward proxy, which needs them whatever the port is
 */
export function upstreamProtocol(
  protocol: Protocol,
  policy: EffectivePolicy,
  config: ResolvedMeshConfig,
  detects: boolean,
  tls: { named?: UpstreamHttpProtocolOptionsJson; always?: boolean } = {},
): Partial<ClusterJson> {
  const http = policy.connectionPool?.http;
  const mode = upstreamMode(protocol, http, config, detects);
  const common = !isHttp(protocol) && protocol !== 'detected' && mode === 'default' ? undefined : commonOptions(policy);
  const speaksHttp = isHttp(protocol) || protocol === 'detected' || tls.always === true;
  const named = speaksHttp && Object.keys(tls.named ?? {}).length > 0 ? tls.named : undefined;
  if (mode === 'default' && common === undefined && named === undefined) return {};
  return withHttpOptions({
    ...(common && { commonHttpProtocolOptions: common }),
    ...(named && { upstreamHttpProtocolOptions: named }),
    ...(mode === 'http2'
      ? { explicitHttpConfig: { http2ProtocolOptions: http2Options(http) } }
      : mode === 'downstream'
        ? { useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} } }
        : { explicitHttpConfig: { httpProtocolOptions: {} } }),
  });
}
