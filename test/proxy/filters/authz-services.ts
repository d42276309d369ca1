/** Authorization services for tests: they keep what they were asked and answer as the question says. */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { writeStruct } from '../../../agent/proxy/filters/ext-authz/struct.ts';
import { listen } from './both-engines.ts';

/** Differ from run to run. */
const VARIES = new Set([
  'x-request-id',
  'x-forwarded-for',
  'x-envoy-expected-rq-timeout-ms',
  'connection',
  'grpc-timeout',
  'user-agent',
  'content-length',
]);

/** What the service was asked, the last one first. */
export type Asked = Record<string, unknown>;

/** Answers as the request's x-do asks: `deny 401`, `headers`, … */
export async function httpAuthz(asked: Asked[]): Promise<{ host: string; close(): void }> {
  const server = createHttp1((request: IncomingMessage, response: ServerResponse) => {
    const body: Buffer[] = [];
    request.on('data', (chunk) => body.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers)
          .filter(([name]) => !VARIES.has(name))
          .sort(),
      );
      asked.unshift({ method: request.method, url: request.url, headers, body: Buffer.concat(body).toString('latin1') });
      const [what = '', more = ''] = String(request.headers['x-do'] ?? '').split(' ');
      response.sendDate = false;
      if (what === 'deny') {
        response.writeHead(Number(more), {
          'www-authenticate': 'Basic',
          'x-why': 'denied',
          'set-cookie': ['a=1', 'b=2'],
          'content-type': 'text/html',
        });
        response.end('<b>no</b>');
      } else if (what === 'headers') {
        response.writeHead(200, {
          'x-user': 'jason',
          'x-more': ['1', '2'],
          'x-client': 'told',
          'x-meta': 'kept',
          'x-other': 'dropped',
          'x-envoy-auth-headers-to-remove': 'x-secret, x-do, host, :path',
        });
        response.end('ignored');
      } else if (what === 'redirect') {
        response.writeHead(302, { location: 'https://login.test/?a=b' });
        response.end();
      } else if (what === 'break') request.socket.destroy();
      else if (what === 'wait') setTimeout(() => response.end(), 2000).unref();
      else response.end();
    });
  });
  return {
    host: await listen(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function text(w: BinaryWriter, no: number, value: string): BinaryWriter {
  return w.tag(no, WireType.LengthDelimited).string(value);
}

function message(w: BinaryWriter, no: number, write: (w: BinaryWriter) => void): void {
  w.tag(no, WireType.LengthDelimited).fork();
  write(w);
  w.join();
}

/** HeaderValueOption. */
function option(w: BinaryWriter, no: number, name: string, value: string, append?: boolean, action?: number): void {
  message(w, no, (o) => {
    message(o, 1, (h) => text(text(h, 1, name), 2, value));
    if (append !== undefined) message(o, 2, (b) => b.tag(1, WireType.Varint).bool(append));
    if (action !== undefined) o.tag(3, WireType.Varint).int32(action);
  });
}

const GRPC_ANSWERS: Readonly<Record<string, (w: BinaryWriter) => void>> = {
  '': () => undefined,
  deny(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(7));
  },
  'deny-more'(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(16));
    message(w, 2, (d) => {
      message(d, 1, (s) => s.tag(1, WireType.Varint).int32(401));
      option(d, 2, 'x-why', 'one');
      option(d, 2, 'set-cookie', 'a=1');
      option(d, 2, 'set-cookie', 'b=2');
      option(d, 2, 'content-type', 'application/json');
      text(d, 3, '{"no":true}');
    });
  },
  headers(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(0));
    message(w, 3, (ok) => {
      option(ok, 2, 'x-set', 'new', false);
      option(ok, 2, 'x-appended', 'more', true);
      option(ok, 2, 'x-absent', 'more', true);
      option(ok, 2, 'x-plain', 'plain');
      option(ok, 2, 'x-if-absent', 'mine', undefined, 1);
      option(ok, 2, 'x-over', 'mine', undefined, 2);
      option(ok, 2, 'x-if-there', 'mine', undefined, 3);
      text(ok, 5, 'x-secret');
      text(ok, 5, 'host');
      option(ok, 6, 'x-told', 'client');
      message(ok, 7, (q) => text(text(q, 1, 'who'), 2, 'jason'));
      text(ok, 8, 'drop');
    });
    message(w, 4, (s) => writeStruct(s, { user: 'jason', n: 1.5, yes: true, none: null, list: ['a', { b: 1 }] }));
  },
  routed(w) {
    message(w, 3, (ok) => option(ok, 2, 'x-tier', 'gold'));
  },
};

/** Any protobuf message as nested lists of fields, texts where they are ones. */
function readAny(bytes: Uint8Array): unknown[] {
  const reader = new BinaryReader(bytes);
  const fields: unknown[] = [];
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (type === WireType.Varint) fields.push([no, String(reader.int64())]);
    else if (type === WireType.LengthDelimited) fields.push([no, reader.bytes()]);
    else throw new Error(`wire type ${type}`);
  }
  return fields;
}

/** The parts of a CheckRequest that can be compared. */
function readCheck(bytes: Uint8Array): Asked {
  const field = (of: unknown[], no: number): unknown => (of as [number, unknown][]).find(([n]) => n === no)?.[1];
  const sub = (of: unknown[], no: number): unknown[] => {
    const found = field(of, no);
    return found === undefined ? [] : readAny(found as Uint8Array);
  };
  const string = (of: unknown[], no: number): string | undefined => {
    const found = field(of, no);
    return found === undefined ? undefined : typeof found === 'string' ? found : Buffer.from(found as Uint8Array).toString();
  };
  const attributes = sub(readAny(bytes), 1);
  const address = (peer: unknown[]): string | undefined => string(sub(sub(peer, 1), 1), 2);
  const [source, destination, request] = [sub(attributes, 1), sub(attributes, 2), sub(attributes, 4)];
  const http = sub(request, 2);
  const headers: Record<string, string> = {};
  for (const [no, value] of http as [number, Uint8Array][]) {
    if (no !== 3) continue;
    const pair = readAny(value);
    const name = string(pair, 1)!;
    if (!VARIES.has(name)) headers[name] = string(pair, 2) ?? '';
  }
  return {
    source: [address(source), string(source, 2), string(source, 4)],
    certificate: string(source, 5),
    destination: [address(destination), string(destination, 4)],
    time: field(request, 1) !== undefined,
    method: string(http, 2),
    path: string(http, 4),
    host: string(http, 5),
    scheme: string(http, 6),
    query: string(http, 7),
    size: string(http, 9),
    protocol: string(http, 10),
    body: string(http, 11),
    rawBody: string(http, 12),
    headers: Object.fromEntries(Object.entries(headers).sort()),
    sni: string(sub(attributes, 12), 1),
    fields: (attributes as [number, unknown][]).map(([no]) => no),
    metadata: Buffer.from((field(attributes, 11) as Uint8Array) ?? []).toString('latin1'),
  };
}

export async function grpcAuthz(
  asked: Asked[],
  whatOf: (asked: Asked) => string = ({ headers }) => (headers as Record<string, string>)['x-do'] ?? '',
): Promise<{ host: string; close(): void }> {
  const server = createHttp2();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const check = readCheck(Buffer.concat(pieces).subarray(5));
      const call = Object.fromEntries(
        ['te', 'content-type', ':path', ':authority', ':method', 'x-envoy-internal'].map((n) => [n, headers[n]]),
      );
      asked.unshift({ ...check, call });
      const what = whatOf(check);
      if (what === 'fail') {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '13' }, { endStream: true });
        return;
      }
      if (what === 'wait') return;
      const w = new BinaryWriter();
      (GRPC_ANSWERS[what] ?? GRPC_ANSWERS['']!)(w);
      const bytes = what === 'junk' ? Buffer.from([255, 255, 255]) : w.finish();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat([head, bytes]));
    });
  });
  const host = await listen(server);
  return {
    host,
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
