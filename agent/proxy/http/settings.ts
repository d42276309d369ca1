import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { jsonDuration } from '../../../src/routing/json-duration.ts';
import { ProblemList } from '../../../src/routing/problems.ts';

/** What a connection manager's plain fields say. Times are milliseconds, 0 is none; sizes are bytes. */
export interface HttpSettings {
  readonly codec: 'AUTO' | 'HTTP1' | 'HTTP2';
  readonly statPrefix: string;
  readonly serverName: string;
  readonly serverHeader: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH';
  readonly via: string;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly underscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER';
  readonly requestTimeout: number;
  readonly headersTimeout: number;
  readonly streamIdleTimeout: number;
  readonly maxStreamDuration: number;
  readonly idleTimeout: number;
  readonly maxConnectionDuration: number;
  readonly maxRequests: number;
  readonly delayedClose: number;
  readonly absoluteUrl: boolean;
  readonly acceptHttp10: boolean;
  readonly defaultHost: string;
  readonly http1Trailers: boolean;
  readonly properCase: boolean;
  readonly stripPort: 'no' | 'matching' | 'any';
  readonly stripTrailingDot: boolean;
  /** Upgrade types in lower case, and whether they are on by default. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  readonly bufferLimit: number;
  readonly http2: {
    readonly maxConcurrentStreams: number;
    readonly streamWindow: number;
    readonly connectionWindow: number;
    readonly headerTableSize: number;
    readonly extendedConnect: boolean;
  };
}

/** Envoy: max_request_headers_kb, max_headers_count, idle_timeout, stream_idle_timeout, delayed_close_timeout, per_connection_buffer_limit_bytes. */
const DEFAULTS = { headersKb: 60, headers: 100, idle: 3_600_000, streamIdle: 300_000, delayedClose: 1000, buffer: 1024 * 1024 };
const LARGEST_WINDOW = 2 ** 31 - 1;
/** Envoy's own defaults of 2^29-1 streams and 16 and 24 MiB windows. */
const HTTP2 = { streams: 2 ** 29 - 1, streamWindow: 16 * 1024 * 1024, connectionWindow: 24 * 1024 * 1024, table: 4096 };

/** Reads the plain fields. `listenerBufferLimit` is per_connection_buffer_limit_bytes. */
export function readHttpSettings(
  json: HttpConnectionManagerJson,
  path: string,
  listenerBufferLimit: number | null | undefined,
): { settings: HttpSettings; problems: readonly Problem[] } {
  const problems = new ProblemList();
  const ms = (text: string | undefined, field: string, absent: number): number =>
    jsonDuration(text, `${path}.${field}`, problems) ?? absent;
  const common = json.commonHttpProtocolOptions ?? {};
  const http1 = json.httpProtocolOptions ?? {};
  const http2 = json.http2ProtocolOptions ?? {};
  if (json.codecType === 'HTTP3') problems.unsupported(`${path}.codecType`, 'there is no HTTP/3');
  if (http1.headerKeyFormat?.statefulFormatter !== undefined)
    problems.unsupported(`${path}.httpProtocolOptions.headerKeyFormat.statefulFormatter`, 'names go out in lower case or in proper case');
  if (http1.allowChunkedLength === true)
    problems.unsupported(`${path}.httpProtocolOptions.allowChunkedLength`, 'conflicting lengths are always refused (RFC 9112 6.3)');
  const settings: HttpSettings = {
    codec: json.codecType === 'HTTP1' || json.codecType === 'HTTP2' ? json.codecType : 'AUTO',
    statPrefix: json.statPrefix ?? '',
    serverName: json.serverName || 'envoy',
    serverHeader: json.serverHeaderTransformation ?? 'OVERWRITE',
    via: json.via ?? '',
    maxHeaderBytes: (json.maxRequestHeadersKb ?? DEFAULTS.headersKb) * 1024,
    maxHeaders: common.maxHeadersCount ?? DEFAULTS.headers,
    underscores: common.headersWithUnderscoresAction ?? 'ALLOW',
    requestTimeout: ms(json.requestTimeout, 'requestTimeout', 0),
    headersTimeout: ms(json.requestHeadersTimeout, 'requestHeadersTimeout', 0),
    streamIdleTimeout: ms(json.streamIdleTimeout, 'streamIdleTimeout', DEFAULTS.streamIdle),
    maxStreamDuration: ms(common.maxStreamDuration, 'commonHttpProtocolOptions.maxStreamDuration', 0),
    idleTimeout: ms(common.idleTimeout, 'commonHttpProtocolOptions.idleTimeout', DEFAULTS.idle),
    maxConnectionDuration: ms(common.maxConnectionDuration, 'commonHttpProtocolOptions.maxConnectionDuration', 0),
    maxRequests: common.maxRequestsPerConnection ?? 0,
    delayedClose: ms(json.delayedCloseTimeout, 'delayedCloseTimeout', DEFAULTS.delayedClose),
    absoluteUrl: http1.allowAbsoluteUrl !== false,
    acceptHttp10: http1.acceptHttp10 === true,
    defaultHost: http1.defaultHostForHttp10 ?? '',
    http1Trailers: http1.enableTrailers === true,
    properCase: http1.headerKeyFormat?.properCaseWords !== undefined,
    stripPort: json.stripAnyHostPort === true ? 'any' : json.stripMatchingHostPort === true ? 'matching' : 'no',
    stripTrailingDot: json.stripTrailingHostDot === true,
    upgrades: new Map((json.upgradeConfigs ?? []).map((u) => [(u.upgradeType ?? '').toLowerCase(), u.enabled !== false])),
    bufferLimit: listenerBufferLimit ?? DEFAULTS.buffer,
    http2: {
      maxConcurrentStreams: http2.maxConcurrentStreams ?? HTTP2.streams,
      streamWindow: Math.min(http2.initialStreamWindowSize ?? HTTP2.streamWindow, LARGEST_WINDOW),
      connectionWindow: Math.min(http2.initialConnectionWindowSize ?? HTTP2.connectionWindow, LARGEST_WINDOW),
      headerTableSize: http2.hpackTableSize ?? HTTP2.table,
      extendedConnect: http2.allowConnect === true,
    },
  };
  if (settings.statPrefix === '') problems.invalid(`${path}.statPrefix`, 'must not be empty');
  return { settings, problems: problems.all };
}
