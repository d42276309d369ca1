import type { AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { FileAccessLogJson } from '#envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js';
import type { ResolvedMeshConfig } from '../mesh/types.ts';
import { typed } from './any.ts';

/** Istio's default text format. */
const textFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% ' +
  '%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

const jsonFormat = {
  start_time: '%START_TIME%',
  route_name: '%ROUTE_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
};

/** A JSON format of the user's; the default when the text is not a JSON object (validation told). */
function parseJsonFormat(text: string | undefined): Record<string, string> {
  if (!text) return jsonFormat;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, string>;
  } catch {
    // Falls through to the default.
  }
  return jsonFormat;
}

/** The text of the user's, which ends in a line feed as every entry must. */
function textOf(format: string | undefined): string {
  if (!format) return textFormat;
  return format.endsWith('\n') ? format : `${format}\n`;
}

function fileLog(config: ResolvedMeshConfig, path: string): AccessLogJson {
  const json = config.accessLogEncoding === 'JSON';
  return {
    name: 'envoy.access_loggers.file',
    typedConfig: typed<FileAccessLogJson>('envoy.extensions.access_loggers.file.v3.FileAccessLog', {
      path,
      logFormat: json
        ? { jsonFormat: parseJsonFormat(config.accessLogFormat) }
        : { textFormatSource: { inlineString: textOf(config.accessLogFormat) } },
    }),
  };
}

/** Access logs of HTTP connection managers and TCP proxies: empty unless the mesh names a file. */
export function accessLogs(config: ResolvedMeshConfig): AccessLogJson[] {
  return config.accessLogFile ? [fileLog(config, config.accessLogFile)] : [];
}

/** Access logs of a listener itself: only connections that no filter chain takes (flag NR). */
export function listenerAccessLogs(config: ResolvedMeshConfig): AccessLogJson[] {
  if (config.disableEnvoyListenerLog) return [];
  return accessLogs(config).map((log) => ({ ...log, filter: { responseFlagFilter: { flags: ['NR'] } } }));
}
