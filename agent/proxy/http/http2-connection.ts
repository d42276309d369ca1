import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { RouteRequest } from '../../../src/routing/request.ts';
import { http2 } from '../http2-module.ts';
import type { RawHeaders } from '../types.ts';
import { Exchange } from './exchange.ts';
import type { ConnectionCodec, HttpConnection } from './http-connection.ts';
import { Http2Stream } from './http2-stream.ts';

/** More header pairs than any limit that we answer ourselves. */
const PAIRS_ABOVE_LIMIT = 100;
/** Megabytes a session may hold before node:http2 refuses streams. */
const SESSION_MEMORY_MB = 1024;

/** Serves HTTP/2 with prior knowledge on an accepted socket (RFC 9113 3.3). */
export function serveHttp2(connection: HttpConnection): void {
  const { settings } = connection.manager;
  const wanted = settings.http2;
  const session = http2().performServerHandshake(connection.socket, {
    settings: {
      initialWindowSize: wanted.streamWindow,
      maxConcurrentStreams: wanted.maxConcurrentStreams,
      headerTableSize: wanted.headerTableSize,
      maxHeaderListSize: settings.maxHeaderBytes,
      enableConnectProtocol: wanted.extendedConnect,
    },
    maxHeaderListPairs: settings.maxHeaders + PAIRS_ABOVE_LIMIT,
    maxSessionMemory: SESSION_MEMORY_MB,
    // Node would leave out fields with blanks around their values without a word, and refuse to send some fields twice. Envoy does neither.
    strictFieldWhitespaceValidation: false,
    strictSingleValueFields: false,
  });
  const codec = new Http2Connection(connection, session);
  connection.open(codec);
  session.on('error', () => codec.onError());
  // Envoy: whoever sends nothing more over HTTP/2 is gone. node:http2 would keep the session, for the socket may be half open.
  connection.socket.once('end', () => session.destroy());
  session.on('stream', (stream: ServerHttp2Stream, _headers: object, flags: number, raw: string[]) => codec.onStream(stream, flags, raw));
  if (wanted.connectionWindow > 65_535) session.setLocalWindowSize(wanted.connectionWindow);
}

class Http2Connection implements ConnectionCodec {
  readonly http2 = true;
  readonly #connection: HttpConnection;
  readonly #session: ServerHttp2Session;

  constructor(connection: HttpConnection, session: ServerHttp2Session) {
    this.#connection = connection;
    this.#session = session;
  }

  onError(): void {
    this.#connection.manager.stats.cxProtocolError.inc();
  }

  onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    // A broken stream says so with 'close' too.
    stream.on('error', () => undefined);
    const head = readHead(raw);
    const connection = this.#connection;
    const ended = (flags & http2().constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const { headers } = head;
    const init = { method: head.method, scheme: head.scheme, authority: head.authority, path: head.path, headers };
    const request = new RouteRequest(head.protocol === undefined ? init : { ...init, protocol: head.protocol });
    const upgrade = head.protocol?.toLowerCase() ?? (head.method === 'CONNECT' ? 'connect' : undefined);
    const downstream = new Http2Stream(stream, head.expectsContinue);
    const exchange = new Exchange(connection, downstream, request, ended || upgrade !== undefined, upgrade);
    connection.exchangeStarted();
    downstream.serve(exchange);
    if (head.hosts > 1) {
      exchange.addFlag('DPE');
      exchange.localReply(400, '', 'http2.invalid.header.field');
      return;
    }
    exchange.start();
  }

  exchangeDone(): void {}

  announceClose(): void {
    // GOAWAY; streams in flight go on, and the session ends with the last of them.
    if (!this.#session.closed) this.#session.close();
  }

  close(): void {
    if (!this.#session.closed) this.#session.close();
  }
}

interface Head {
  method: string;
  scheme: string;
  authority: string;
  path: string;
  protocol: string | undefined;
  headers: RawHeaders;
  hosts: number;
  expectsContinue: boolean;
}

function readHead(raw: readonly string[]): Head {
  const head: Head = {
    method: '',
    scheme: 'http',
    authority: '',
    path: '',
    protocol: undefined,
    headers: [],
    hosts: 0,
    expectsContinue: false,
  };
  let cookie = -1;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    switch (name) {
      case ':method':
        head.method = value;
        break;
      case ':scheme':
        head.scheme = value;
        break;
      case ':authority':
        head.authority = value;
        break;
      case ':path':
        head.path = value;
        break;
      case ':protocol':
        head.protocol = value;
        break;
      case 'host':
        head.hosts++;
        if (head.authority === '') head.authority = value;
        break;
      case 'cookie':
        // Empty ones are none, unless others came before.
        if (value === '' && cookie < 0) break;
        // RFC 9113 8.2.3: crumbs are one header again for everyone but HTTP/2.
        if (cookie >= 0) head.headers[cookie] += `; ${value}`;
        else {
          head.headers.push(name, value);
          cookie = head.headers.length - 1;
        }
        break;
      default:
        if (name === 'expect' && value.toLowerCase() === '100-continue') head.expectsContinue = true;
        else head.headers.push(name, value);
    }
  }
  return head;
}
