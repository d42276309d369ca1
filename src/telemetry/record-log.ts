/**
 * The record log: the access log in every generated listener by which a proxy tells the agent of finished requests and connections.
 * Envoy sends it by its gRPC access log service over the agent's xDS socket; the embedded proxy knows it by its name and has a channel of its own.
 */
import type { AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type {
  CommonGrpcAccessLogConfigJson,
  HttpGrpcAccessLogConfigJson,
  TcpGrpcAccessLogConfigJson,
} from '#envoy-api/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import type { CustomTagJson } from '#envoy-api/envoy/type/tracing/v3/custom_tag_pb.js';
import type { RequestRecord } from './request-record.ts';

type Direction = RequestRecord['direction'];

const PREFIX = 'fairlead.records.';
const DIRECTIONS: ReadonlySet<string> = new Set<Direction>(['inbound', 'outbound', 'gateway']);
const TYPE = 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.';
const HTTP = `${TYPE}HttpGrpcAccessLogConfig`;
const TCP = `${TYPE}TcpGrpcAccessLogConfig`;

/**
 * Custom tags: the route's provenance, and what Envoy's entries lack (the cluster where no host was chosen, the SNI of connections
 * whose TLS is not terminated). `-` is nothing.
 */
export const RECORD_TAGS = {
  istioConfig: 'istio.config',
  config: 'fairlead.config',
  field: 'fairlead.field',
  cluster: 'cluster',
  sni: 'sni',
} as const;
/** The filter state in which Envoy's gRPC statistics filter counts messages. */
export const GRPC_STATS_STATE = 'envoy.filters.http.grpc_stats';
/** Headers that a record is made from and that Envoy's entries do not have by themselves. */
const REQUEST_HEADERS = [':method', 'content-type'];
const RESPONSE_HEADERS = ['grpc-status', 'x-envoy-upstream-service-time'];

const routeTag = (tag: string, namespace: string, key: string): CustomTagJson => ({
  tag,
  metadata: { kind: { route: {} }, metadataKey: { key: namespace, path: [{ key }] } },
});

const CONNECTION_TAGS: readonly CustomTagJson[] = [
  { tag: RECORD_TAGS.cluster, value: '%UPSTREAM_CLUSTER_RAW%' },
  { tag: RECORD_TAGS.sni, value: '%REQUESTED_SERVER_NAME%' },
];

/** Entries are gathered for so long; a terminal that shows them must not lag. */
const FLUSH = '0.100s';

function common(direction: Direction, more: Partial<CommonGrpcAccessLogConfigJson> = {}): CommonGrpcAccessLogConfigJson {
  return {
    logName: PREFIX + direction,
    grpcService: { envoyGrpc: { clusterName: 'xds-grpc' } },
    transportApiVersion: 'V3',
    bufferFlushInterval: FLUSH,
    ...more,
  };
}

/** For HTTP connection managers. `headers` of requests, lower case, are kept in the records as well. */
export function httpRecordLog(direction: Direction, headers: readonly string[] = []): AccessLogJson {
  const config: HttpGrpcAccessLogConfigJson & { '@type': string } = {
    '@type': HTTP,
    commonConfig: common(direction, {
      filterStateObjectsToLog: [GRPC_STATS_STATE],
      customTags: [
        ...CONNECTION_TAGS,
        routeTag(RECORD_TAGS.istioConfig, 'istio', 'config'),
        routeTag(RECORD_TAGS.config, 'fairlead', 'config'),
        routeTag(RECORD_TAGS.field, 'fairlead', 'field'),
      ],
    }),
    additionalRequestHeadersToLog: [...REQUEST_HEADERS, ...headers.filter((h) => !REQUEST_HEADERS.includes(h))],
    additionalResponseHeadersToLog: RESPONSE_HEADERS,
    additionalResponseTrailersToLog: ['grpc-status'],
  };
  return { name: 'envoy.access_loggers.http_grpc', typedConfig: config };
}

/** For TCP proxies, and for listeners themselves (connections that no chain takes). */
export function tcpRecordLog(direction: Direction): AccessLogJson {
  const config: TcpGrpcAccessLogConfigJson & { '@type': string } = {
    '@type': TCP,
    commonConfig: common(direction, { customTags: [...CONNECTION_TAGS] }),
  };
  return { name: 'envoy.access_loggers.tcp_grpc', typedConfig: config };
}

/** What a log's name says; undefined for logs of other makers. */
export function recordDirection(logName: string): Direction | undefined {
  if (!logName.startsWith(PREFIX)) return undefined;
  const direction = logName.slice(PREFIX.length);
  return DIRECTIONS.has(direction) ? (direction as Direction) : undefined;
}

/** A logger that is the record log: where its records are made, and which headers of requests they keep besides. */
export function asRecordLog(logger: AccessLogJson): { direction: Direction; headers: readonly string[] } | undefined {
  const config = logger.typedConfig as (HttpGrpcAccessLogConfigJson & { '@type'?: string }) | undefined;
  if (config?.['@type'] !== HTTP && config?.['@type'] !== TCP) return undefined;
  const direction = recordDirection(config.commonConfig?.logName ?? '');
  if (direction === undefined) return undefined;
  return { direction, headers: (config.additionalRequestHeadersToLog ?? []).filter((h) => !REQUEST_HEADERS.includes(h)) };
}
