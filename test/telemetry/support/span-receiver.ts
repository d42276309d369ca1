/** A small tracing backend: Zipkin's JSON v2 and OTLP over HTTP, as spans of one form. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface ReceivedSpan {
  traceId: string;
  id: string;
  parentId: string;
  name: string;
  /** `SERVER`, `CLIENT`; OTLP's number for others. */
  kind: string;
  /** Microseconds since 1970. */
  start: number;
  /** Microseconds. */
  duration: number;
  service: string;
  tags: Record<string, string>;
  /** The whole of it, where a test wants more. */
  raw: unknown;
}

export interface SpanReceiver {
  readonly port: number;
  /** OTLP over gRPC. */
  readonly grpcPort: number;
  readonly spans: ReceivedSpan[];
  readonly requests: { path: string; headers: IncomingHttpHeaders }[];
  close(): void;
}

export async function startSpanReceiver(): Promise<SpanReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: SpanReceiver['requests'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = request.url ?? '';
    requests.push({ path, headers: request.headers });
    if (path === '/api/v2/spans') {
      spans.push(...(JSON.parse(body.toString('utf8')) as ZipkinSpan[]).map(fromZipkin));
      response.writeHead(202).end();
    } else {
      spans.push(...readTraces(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const grpc = createHttp2Server();
  grpc.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      requests.push({ path: String(headers[':path']), headers: headers as IncomingHttpHeaders });
      spans.push(...readTraces(Buffer.concat(chunks).subarray(5)));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
  });
  const sessions = new Set<ServerHttp2Session>();
  grpc.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => grpc.listen(0, '127.0.0.1', resolve));
  return {
    grpcPort: (grpc.address() as AddressInfo).port,
    port: (server.address() as AddressInfo).port,
    spans,
    requests,
    close() {
      server.close().closeAllConnections();
      grpc.close();
      for (const session of sessions) session.destroy();
    },
  };
}

interface ZipkinSpan {
  traceId: string;
  id: string;
  parentId?: string;
  name: string;
  kind?: string;
  timestamp: number;
  duration: number;
  localEndpoint?: { serviceName?: string };
  tags?: Record<string, string>;
}

const fromZipkin = (s: ZipkinSpan): ReceivedSpan => ({
  traceId: s.traceId,
  id: s.id,
  parentId: s.parentId ?? '',
  name: s.name,
  kind: s.kind ?? '',
  start: s.timestamp,
  duration: s.duration,
  service: s.localEndpoint?.serviceName ?? '',
  tags: s.tags ?? {},
  raw: s,
});

type Field = { no: number; value: Uint8Array | number | bigint };

/** A message's fields, undecoded. https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(bytes: Uint8Array): Field[] {
  const reader = new BinaryReader(bytes);
  const out: Field[] = [];
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (type === WireType.LengthDelimited) out.push({ no, value: reader.bytes() });
    else if (type === WireType.Bit64) out.push({ no, value: BigInt(reader.fixed64()) });
    else if (type === WireType.Bit32) out.push({ no, value: reader.fixed32() });
    else out.push({ no, value: BigInt(reader.uint64()) });
  }
  return out;
}

const all = (fields: readonly Field[], no: number): Uint8Array[] => fields.filter((f) => f.no === no).map((f) => f.value as Uint8Array);
const textOf = (fields: readonly Field[], no: number): string => Buffer.from(all(fields, no)[0] ?? []).toString('utf8');
const hexOf = (fields: readonly Field[], no: number): string => Buffer.from(all(fields, no)[0] ?? []).toString('hex');
const numberOf = (fields: readonly Field[], no: number): bigint => BigInt((fields.find((f) => f.no === no)?.value ?? 0n) as bigint);

/** opentelemetry.proto.common.v1.KeyValue. */
function attributes(values: readonly Uint8Array[]): Record<string, string> {
  return Object.fromEntries(
    values.map((bytes) => {
      const pair = fieldsOf(bytes);
      const value = fieldsOf(all(pair, 2)[0] ?? new Uint8Array());
      const [first] = value;
      return [textOf(pair, 1), first === undefined ? '' : first.no === 1 ? textOf(value, 1) : String(first.value)];
    }),
  );
}

const KINDS: Readonly<Record<string, string>> = { 2: 'SERVER', 3: 'CLIENT' };

/** opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest. */
export function readTraces(body: Uint8Array): ReceivedSpan[] {
  const out: ReceivedSpan[] = [];
  for (const resourceSpans of all(fieldsOf(body), 1).map(fieldsOf)) {
    const resource = attributes(all(fieldsOf(all(resourceSpans, 1)[0] ?? new Uint8Array()), 1));
    for (const scope of all(resourceSpans, 2).map(fieldsOf)) {
      for (const span of all(scope, 2).map(fieldsOf)) {
        const kind = String(numberOf(span, 6));
        out.push({
          traceId: hexOf(span, 1),
          id: hexOf(span, 2),
          parentId: hexOf(span, 4),
          name: textOf(span, 5),
          kind: KINDS[kind] ?? kind,
          start: Number(numberOf(span, 7)) / 1000,
          duration: Number(numberOf(span, 8) - numberOf(span, 7)) / 1000,
          service: resource['service.name'] ?? '',
          tags: attributes(all(span, 9)),
          raw: {
            resource,
            scope: scope.map((f) => f.no),
            scopeFields: all(scope, 1).map((b) => fieldsOf(b).map((f) => [f.no, Buffer.from(f.value as Uint8Array).toString()])),
            status: all(span, 15).map((b) => fieldsOf(b).map((f) => [f.no, String(f.value)])),
            state: textOf(span, 3),
            fields: span.map((f) => f.no),
          },
        });
      }
    }
  }
  return out;
}
