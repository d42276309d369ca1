/**
 * Envoy's gRPC access log service: what every generated listener's record log sends, as request records. For the `services` of the
 * agent's gRPC server.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ServerReadableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  type StreamAccessLogsMessage,
  StreamAccessLogsMessageSchema,
  type StreamAccessLogsResponse,
  StreamAccessLogsResponseSchema,
} from '#envoy-api/envoy/service/accesslog/v3/als_pb.js';
import { recordDirection } from '../../src/telemetry/record-log.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { httpRecord, type RecordStream, tcpRecordOf } from './record-of-entry.ts';

export interface AccessLogService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

/** `sidecar~127.0.0.1~web.default~default.svc.cluster.local` is `web.default`. */
const proxyName = (nodeId: string): string => nodeId.split('~')[2] ?? nodeId;

/**
 * The service `envoy.service.accesslog.v3.AccessLogService`. Entries of logs that are not the record log, and ones without a node, are
 * passed over. `onRecord` is called for each finished request, in each stream's order.
 */
export function createAccessLogService(onRecord: (record: RequestRecord) => void): AccessLogService {
  const streamAccessLogs = (call: ServerReadableStream<StreamAccessLogsMessage, StreamAccessLogsResponse>): void => {
    let stream: RecordStream | undefined;
    call.on('data', (message: StreamAccessLogsMessage) => {
      if (message.identifier) stream = identify(message);
      const { logEntries } = message;
      if (stream === undefined || logEntries.case === undefined) return;
      if (logEntries.case === 'httpLogs') for (const entry of logEntries.value.logEntry) onRecord(httpRecord(stream, entry));
      else for (const entry of logEntries.value.logEntry) onRecord(tcpRecordOf(stream, entry));
    });
    // Never answered: a stream lasts as long as its Envoy, and breaks off when that ends.
    call.on('error', () => undefined);
  };
  return {
    definition: {
      streamAccessLogs: {
        path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
        requestStream: true,
        responseStream: false,
        requestSerialize: (m: StreamAccessLogsMessage) => Buffer.from(toBinary(StreamAccessLogsMessageSchema, m)),
        requestDeserialize: (b: Buffer) => fromBinary(StreamAccessLogsMessageSchema, b),
        responseSerialize: (m: StreamAccessLogsResponse) => Buffer.from(toBinary(StreamAccessLogsResponseSchema, m)),
        responseDeserialize: (b: Buffer) => fromBinary(StreamAccessLogsResponseSchema, b),
      },
    },
    implementation: { streamAccessLogs },
  };
}

function identify({ identifier }: StreamAccessLogsMessage): RecordStream | undefined {
  const direction = recordDirection(identifier?.logName ?? '');
  const id = identifier?.node?.id;
  return direction === undefined || !id ? undefined : { proxy: proxyName(id), direction };
}
