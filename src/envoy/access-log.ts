import type { JsonObject } from '@bufbuild/protobuf';
import type { AccessLogFilterJson, AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { SubstitutionFormatStringJson } from '#envoy-api/envoy/config/core/v3/substitution_format_string_pb.js';
import type { FileAccessLogJson } from '#envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js';
import type { ExpressionFilterJson } from '#envoy-api/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';
import { getOrMake } from '../mesh/memo.ts';
import type { ProxyScope, ResolvedMeshConfig } from '../mesh/types.ts';
import { type MetricMode, metricSettings } from '../telemetry/metrics/settings.ts';
import { httpRecordLog, tcpRecordLog } from '../telemetry/record-log.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { JSON_FORMAT, TEXT_FORMAT } from './access-log-formats.ts';
import { BUILT_IN_LOG, type FileLogProvider, loggingProviders } from './access-logging.ts';
import { typed } from './any.ts';
import type { BuildContext } from './context.ts';
import { logFilter } from './log-filter.ts';

/** A JSON format of the user's; the default when the text is not a JSON object (validation told). */
function parseJsonFormat(text: string | undefined): JsonObject {
  if (!text) return JSON_FORMAT;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Falls through to the default.
  }
  return JSON_FORMAT;
}

/** The text of the user's, which ends in a line feed as every entry must. */
function textOf(format: string | undefined): string {
  if (!format) return TEXT_FORMAT;
  return format.endsWith('\n') ? format : `${format}\n`;
}

const text = (format: string | undefined): SubstitutionFormatStringJson => ({ textFormatSource: { inlineString: textOf(format) } });

function meshFormat(config: ResolvedMeshConfig): SubstitutionFormatStringJson {
  return config.accessLogEncoding === 'JSON' ? { jsonFormat: parseJsonFormat(config.accessLogFormat) } : text(config.accessLogFormat);
}

function providerFormat({ name, file }: FileLogProvider, config: ResolvedMeshConfig): SubstitutionFormatStringJson {
  const { logFormat, omitEmptyValues } = file;
  // Istio: the built-in provider has the format of the mesh's own log; others have the default one.
  const labels = logFormat?.labels as JsonObject | undefined;
  const format =
    logFormat === undefined && name === BUILT_IN_LOG
      ? meshFormat(config)
      : labels
        ? { jsonFormat: Object.keys(labels).length > 0 ? labels : JSON_FORMAT }
        : text(logFormat?.text);
  return omitEmptyValues ? { ...format, omitEmptyValues: true } : format;
}

function fileLog(path: string, logFormat: SubstitutionFormatStringJson): AccessLogJson {
  return {
    name: 'envoy.access_loggers.file',
    typedConfig: typed<FileAccessLogJson>('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path, logFormat }),
  };
}

/** Where a proxy's records are made. */
function directionOf({ receives, proxy }: BuildContext): RequestRecord['direction'] {
  return receives ? 'inbound' : proxy.type === 'router' ? 'gateway' : 'outbound';
}

/** Access logs of HTTP connection managers: the files that are asked for, and the record log. */
export function httpAccessLogs(context: BuildContext): AccessLogJson[] {
  return [...fileLogs(context), httpRecordLog(directionOf(context), headersForMetrics(context))];
}

const metricHeaders = new WeakMap<ProxyScope, Map<MetricMode, readonly string[]>>();

/** Request headers that tags of metrics are made from. */
function headersForMetrics({ mesh, scope, proxy, receives }: BuildContext): readonly string[] {
  const byMode = getOrMake(metricHeaders, scope, () => new Map<MetricMode, readonly string[]>());
  const mode = receives ? 'SERVER' : 'CLIENT';
  return getOrMake(byMode, mode, () => metricSettings(mesh, proxy, mode).headers);
}

/** Access logs of TCP proxies. */
export function tcpAccessLogs(context: BuildContext): AccessLogJson[] {
  return [...fileLogs(context), tcpRecordLog(directionOf(context))];
}

/** What Telemetry asks for, else the mesh's file, if it names one. */
function fileLogs(context: BuildContext): AccessLogJson[] {
  const { config } = context.mesh;
  const providers = loggingProviders(context);
  if (providers !== undefined) {
    return providers.map((p) => {
      const filter = p.expression ? logFilter(p.expression) : undefined;
      // An expression that has no filter was reported, and the configuration refused.
      return { ...fileLog(p.file.path || '/dev/stdout', providerFormat(p, config)), ...(typeof filter === 'object' && { filter }) };
    });
  }
  return config.accessLogFile ? [fileLog(config.accessLogFile, meshFormat(config))] : [];
}

const NOT_ROUTED: AccessLogFilterJson = { responseFlagFilter: { flags: ['NR'] } };
/** Connections whose TLS failed: no response flag stands for them. */
const TLS_FAILED: AccessLogFilterJson = {
  extensionFilter: {
    name: 'envoy.access_loggers.extension_filters.cel',
    typedConfig: typed<ExpressionFilterJson>('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
      expression: "connection.transport_failure_reason != ''",
    }),
  },
};

/**
 * Access logs of a listener itself: files have only connections that no filter chain takes (flag NR), as Istio's; records also those whose
 * TLS failed.
 */
export function listenerAccessLogs(context: BuildContext): AccessLogJson[] {
  const files = context.mesh.config.disableEnvoyListenerLog ? [] : fileLogs(context);
  return [
    ...files.map((log) => ({ ...log, filter: log.filter ? { andFilter: { filters: [NOT_ROUTED, log.filter] } } : NOT_ROUTED })),
    { ...tcpRecordLog(directionOf(context)), filter: { orFilter: { filters: [NOT_ROUTED, TLS_FAILED] } } },
  ];
}
