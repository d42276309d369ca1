import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { HttpProtocolOptionsJson as CommonJson, Http2ProtocolOptionsJson } from '#envoy-api/envoy/config/core/v3/protocol_pb.js';
import type { HttpProtocolOptionsJson } from '#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { jsonNumber } from './json-number.ts';
import { milliseconds } from './milliseconds.ts';

/** Key of a cluster's HTTP options among its `typed_extension_protocol_options`. */
export const HTTP_OPTIONS_KEY = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** How a cluster speaks HTTP, with Envoy's defaults filled in. Times are milliseconds, 0 for none. */
export interface HttpOptions {
  protocol: 'http1' | 'http2' | 'downstream';
  idleTimeout: number;
  maxConnectionDuration: number;
  /** 0: as many as there are. */
  maxRequestsPerConnection: number;
  http2: {
    maxConcurrentStreams: number;
    initialStreamWindow: number;
    initialConnectionWindow: number;
    keepalive: { interval: number; timeout: number } | undefined;
  };
}

/** Windows that let one stream fill a fast link and yet bound what is kept for a slow reader, bytes. */
const STREAM_WINDOW = 1024 * 1024;
const CONNECTION_WINDOW = 16 * 1024 * 1024;

/** The HTTP options of a cluster, from the extension or the deprecated fields. */
export function httpOptions(cluster: ClusterJson): HttpOptions {
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS_KEY] as HttpProtocolOptionsJson | undefined;
  const common: CommonJson = options?.commonHttpProtocolOptions ?? cluster.commonHttpProtocolOptions ?? {};
  const http2 =
    options?.explicitHttpConfig?.http2ProtocolOptions ??
    options?.useDownstreamProtocolConfig?.http2ProtocolOptions ??
    cluster.http2ProtocolOptions;
  const isHttp2 = options?.explicitHttpConfig?.http2ProtocolOptions !== undefined || cluster.http2ProtocolOptions !== undefined;
  return {
    protocol: isHttp2 ? 'http2' : options?.useDownstreamProtocolConfig !== undefined ? 'downstream' : 'http1',
    idleTimeout: milliseconds(common.idleTimeout, 3_600_000),
    maxConnectionDuration: milliseconds(common.maxConnectionDuration, 0),
    maxRequestsPerConnection: jsonNumber(common.maxRequestsPerConnection, jsonNumber(cluster.maxRequestsPerConnection, 0)),
    http2: http2Options(http2),
  };
}

function http2Options(json: Http2ProtocolOptionsJson | undefined): HttpOptions['http2'] {
  const interval = milliseconds(json?.connectionKeepalive?.interval, 0);
  return {
    maxConcurrentStreams: jsonNumber(json?.maxConcurrentStreams, 2_147_483_647),
    initialStreamWindow: jsonNumber(json?.initialStreamWindowSize, STREAM_WINDOW),
    initialConnectionWindow: jsonNumber(json?.initialConnectionWindowSize, CONNECTION_WINDOW),
    keepalive: interval > 0 ? { interval, timeout: milliseconds(json?.connectionKeepalive?.timeout, 20_000) } : undefined,
  };
}
