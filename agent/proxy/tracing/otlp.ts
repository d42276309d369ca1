/**
 * Spans as OTLP's ExportTraceServiceRequest in protobuf. The numbers are those of opentelemetry/proto/trace/v1/trace.proto and its neighbours.
 * https://opentelemetry.io/docs/specs/otlp/
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { FinishedSpan } from './span.ts';

const KIND = { SERVER: 2, CLIENT: 3 } as const;
const STATUS_ERROR = 2;

function message(writer: BinaryWriter, no: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(no, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

const text = (w: BinaryWriter, no: number, value: string): void => void w.tag(no, WireType.LengthDelimited).string(value);
const bytes = (w: BinaryWriter, no: number, hex: string): void => void w.tag(no, WireType.LengthDelimited).bytes(Buffer.from(hex, 'hex'));
/** Microseconds, written as nanoseconds. */
const time = (w: BinaryWriter, no: number, micros: number): void => void w.tag(no, WireType.Bit64).fixed64(BigInt(micros) * 1000n);

/** common.v1.KeyValue with a text. */
function attribute(w: BinaryWriter, no: number, key: string, value: string): void {
  message(w, no, (pair) => {
    text(pair, 1, key);
    message(pair, 2, (any) => text(any, 1, value));
  });
}

function writeSpan(w: BinaryWriter, span: FinishedSpan): void {
  bytes(w, 1, span.traceId.padStart(32, '0'));
  bytes(w, 2, span.spanId);
  if (span.parentId !== '') bytes(w, 4, span.parentId);
  text(w, 5, span.name);
  w.tag(6, WireType.Varint).int32(KIND[span.kind]);
  time(w, 7, span.start);
  time(w, 8, span.start + span.duration);
  for (const [key, value] of Object.entries(span.tags)) attribute(w, 9, key, value);
  // Envoy: a gRPC call has a status, an error for all codes but 0; another answer has one when it failed.
  const code = span.tags['grpc.status_code'];
  const failed = span.error || (code !== undefined && code !== '0');
  if (failed || code !== undefined) message(w, 15, (status) => void (failed && status.tag(3, WireType.Varint).int32(STATUS_ERROR)));
}

/** One request with all spans, of one resource. */
export function otlpRequest(spans: readonly FinishedSpan[], serviceName: string): Uint8Array {
  const writer = new BinaryWriter();
  message(writer, 1, (resourceSpans) => {
    message(resourceSpans, 1, (resource) => {
      attribute(resource, 1, 'service.name', serviceName);
      attribute(resource, 1, 'telemetry.sdk.name', 'fairlead');
      attribute(resource, 1, 'telemetry.sdk.language', 'nodejs');
    });
    message(resourceSpans, 2, (scopeSpans) => {
      message(scopeSpans, 1, (scope) => text(scope, 1, 'fairlead'));
      for (const span of spans) message(scopeSpans, 2, (w) => writeSpan(w, span));
    });
  });
  return writer.finish();
}
