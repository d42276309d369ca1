/** From Envoy's access log entries to request records. Field by field the same as the embedded proxy's own. */
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  type AccessLogCommon,
  type HTTPAccessLogEntry,
  HTTPAccessLogEntry_HTTPVersion as HttpVersion,
  type TCPAccessLogEntry,
} from '#envoy-api/envoy/data/accesslog/v3/accesslog_pb.js';
import { FilterObjectSchema } from '#envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import { GRPC_STATS_STATE, RECORD_TAGS } from '../../src/telemetry/record-log.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { addressOf, flagsOf, millisecondsOf } from './entry-fields.ts';

/** What a stream's first message says of all its entries. */
export interface RecordStream {
  /** `<name>.<namespace>` */
  proxy: string;
  direction: RequestRecord['direction'];
}

const PROTOCOLS: Readonly<Record<number, RequestRecord['protocol']>> = {
  [HttpVersion.HTTP10]: 'HTTP/1.0',
  [HttpVersion.HTTP11]: 'HTTP/1.1',
  [HttpVersion.HTTP2]: 'HTTP/2',
};
/** Headers that are logged for fields of their own. */
const OWN: ReadonlySet<string> = new Set([':method', 'content-type']);

/** What HTTP and TCP entries have in common. */
function commonOf({ proxy, direction }: RecordStream, common: AccessLogCommon | undefined) {
  const peer = common?.tlsProperties?.peerCertificateProperties?.subjectAltName.find((s) => s.san.case === 'uri')?.san.value;
  return {
    proxy,
    direction,
    startTime: Math.floor(millisecondsOf(common?.startTime)),
    duration: millisecondsOf(common?.duration),
    flags: flagsOf(common?.responseFlags),
    terminationDetails: common?.connectionTerminationDetails ?? '',
    upstreamTransportFailure: common?.upstreamTransportFailureReason ?? '',
    upstreamHost: addressOf(common?.upstreamRemoteAddress),
    upstreamCluster: common?.upstreamCluster || tagOf(common, RECORD_TAGS.cluster),
    upstreamLocalAddress: addressOf(common?.upstreamLocalAddress),
    downstreamLocalAddress: addressOf(common?.downstreamLocalAddress),
    downstreamRemoteAddress: addressOf(common?.downstreamRemoteAddress),
    sni: tagOf(common, RECORD_TAGS.sni),
    routeName: common?.routeName ?? '',
    attempts: common?.upstreamRequestAttemptCount ?? 0,
    // Envoy's TLS inspector says of plain text what OpenSSL would: that no chain takes it is what counts.
    ...(common?.downstreamTransportFailureReason &&
      !common.responseFlags?.noRouteFound && { downstreamTransportFailure: common.downstreamTransportFailureReason }),
    ...(peer !== undefined && { peerPrincipal: peer }),
  };
}

/** A finished HTTP request. */
export function httpRecord(stream: RecordStream, entry: HTTPAccessLogEntry): RequestRecord {
  const { commonProperties: common, request, response } = entry;
  const headers = request?.requestHeaders ?? {};
  const answered = response?.responseHeaders ?? {};
  const tags = common?.customTags ?? {};
  const grpc = /^application\/grpc(?:$|[;+])/.test(headers['content-type'] ?? '');
  const kept = Object.entries(headers).filter(([name]) => !OWN.has(name));
  const record: RequestRecord = {
    ...commonOf(stream, common),
    protocol: PROTOCOLS[entry.protocolVersion] ?? 'HTTP/1.1',
    grpc,
    method: headers[':method'] ?? '',
    authority: request?.authority ?? '',
    path: request?.originalPath || (request?.path ?? ''),
    status: response?.responseCode ?? 0,
    details: response?.responseCodeDetails ?? '',
    bytesReceived: Number(request?.requestBodyBytes ?? 0),
    bytesSent: Number(response?.responseBodyBytes ?? 0),
    upstreamServiceTime: wholeNumber(answered['x-envoy-upstream-service-time']),
    userAgent: request?.userAgent ?? '',
    requestId: request?.requestId ?? '',
    forwardedFor: request?.forwardedFor ?? '',
    grpcStatus: grpc ? wholeNumber(response?.responseTrailers['grpc-status'] ?? answered['grpc-status']) : undefined,
    config: tags[RECORD_TAGS.config] ?? tags[RECORD_TAGS.istioConfig],
    field: tags[RECORD_TAGS.field],
  };
  if (kept.length > 0) record.requestHeaders = Object.fromEntries(kept);
  const state = common?.filterStateObjects[GRPC_STATS_STATE];
  const counted = grpc && state ? anyUnpack(state, FilterObjectSchema) : undefined;
  if (counted) {
    record.grpcRequestMessages = Number(counted.requestMessageCount);
    record.grpcResponseMessages = Number(counted.responseMessageCount);
  }
  return record;
}

/** A connection that ended. */
export function tcpRecordOf(stream: RecordStream, { commonProperties, connectionProperties }: TCPAccessLogEntry): RequestRecord {
  const common = commonOf(stream, commonProperties);
  return {
    ...common,
    protocol: 'TCP',
    grpc: false,
    method: '',
    authority: '',
    path: '',
    status: 0,
    // TCP entries have no details; Envoy gives these to connections that no filter chain takes.
    details: common.flags === 'NR' ? 'filter_chain_not_found' : '',
    bytesReceived: Number(connectionProperties?.receivedBytes ?? 0),
    bytesSent: Number(connectionProperties?.sentBytes ?? 0),
    upstreamServiceTime: undefined,
    userAgent: '',
    requestId: '',
    forwardedFor: '',
    grpcStatus: undefined,
    config: undefined,
    field: undefined,
  };
}

function tagOf(common: AccessLogCommon | undefined, name: string): string {
  const value = common?.customTags[name] ?? '';
  return value === '-' ? '' : value;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
