import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RouteRequest } from '../../../src/routing/request.ts';
import { Exchange } from './exchange.ts';
import type { ConnectionCodec, HttpConnection } from './http-connection.ts';
import { Http1Stream } from './http1-stream.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { RefusingStream } from './refusing-stream.ts';
import { readTarget } from './request-target.ts';
import { startTimer, type TimerOwner, type WheelTimer } from './timer-wheel.ts';

type Arrival = { request: IncomingRequest; response: ServerResponse | undefined };

/** How often a connection is looked at for headers that do not come to their end. */
const LOOKS_PER_TIMEOUT = 4;

/** An HTTP/1 connection: one exchange at a time, in the order of the requests. */
export class Http1Connection implements ConnectionCodec, TimerOwner {
  readonly http2 = false;
  readonly connection: HttpConnection;
  readonly socket: Socket;
  #current: Exchange | undefined;
  #queue: Arrival[] | undefined;
  #lingering = false;
  #released = false;
  #headerTimer: WheelTimer | undefined;
  #bytesAtIdle = 0;
  #headersSince = 0;

  constructor(connection: HttpConnection) {
    this.connection = connection;
    this.socket = connection.socket;
    this.socket.once('close', () => this.#onClose());
    // What was looked at already belongs to the first request.
    this.#watchHeaders(0);
  }

  /** A request's headers are here. Pipelined ones wait their turn (RFC 9112 9.3.2). */
  onRequest(request: IncomingRequest, response: ServerResponse | undefined): void {
    if (this.#current !== undefined) {
      this.#queue ??= [];
      this.#queue.push({ request, response });
      return;
    }
    this.#begin(request, response);
  }

  /** The bytes are no HTTP: the client gets `status`, and the connection ends. */
  onProtocolError(status: number, body: string, details: string): void {
    this.connection.manager.stats.cxProtocolError.inc();
    this.connection.closing = true;
    const current = this.#current;
    if (current !== undefined) {
      current.addFlag('DPE');
      if (current.responseStarted) current.cutResponse();
      else current.localReply(status, body, details);
      this.lingeringClose();
      return;
    }
    if (this.#lingering || !this.socket.writable) return;
    const exchange = this.#refuse();
    exchange.addFlag('DPE');
    exchange.localReply(status, body, details);
  }

  exchangeDone(): void {
    this.#current = undefined;
    if (this.#lingering || this.#released) return;
    const next = this.#queue?.shift();
    if (next !== undefined && !this.connection.closing) this.#begin(next.request, next.response);
    else this.#watchHeaders(this.socket.bytesRead);
  }

  announceClose(): void {
    // The next answer says it.
  }

  close(): void {
    this.socket.end();
    this.lingeringClose();
  }

  /** Ends our side, and reads on for a moment: a reset would take the answer from the client (RFC 9112 9.6). */
  lingeringClose(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    const { socket } = this;
    setImmediate(() => {
      socket.end();
      socket.resume();
    });
    socket.once('end', () => socket.destroySoon());
    startTimer({ onTimer: () => socket.destroy() }, 0, this.connection.manager.settings.delayedClose);
  }

  /** The socket carries another protocol from here on. */
  release(): Socket {
    this.#released = true;
    this.#headerTimer?.cancel();
    return this.socket;
  }

  onTimer(): void {
    if (this.#current !== undefined || this.#lingering || this.socket.destroyed) return;
    const { headersTimeout } = this.connection.manager.settings;
    const now = performance.now();
    if (this.socket.bytesRead === this.#bytesAtIdle) this.#headersSince = 0;
    else if (this.#headersSince === 0) this.#headersSince = now;
    else if (now - this.#headersSince >= headersTimeout) {
      this.connection.manager.stats.rqHeaderTimeout.inc();
      this.connection.closing = true;
      this.#refuse().localReply(408, 'request header timeout', 'request_header_timeout');
      return;
    }
    this.#headerTimer = startTimer(this, 0, headersTimeout / LOOKS_PER_TIMEOUT);
  }

  #begin(request: IncomingRequest, response: ServerResponse | undefined): void {
    this.#headerTimer?.cancel();
    const { connection } = this;
    const headers = request.readHead();
    const { settings } = connection.manager;
    const upgrade = response === undefined ? (request.method === 'CONNECT' ? 'connect' : request.upgradeType) : undefined;
    const target = readTarget(request, upgrade, settings.absoluteUrl);
    let authority = target.authority ?? request.host ?? '';
    if (authority === '' && request.httpVersionMinor === 0) authority = settings.defaultHost;
    const init = { method: request.method!, scheme: target.scheme, authority, path: target.path, headers };
    const stream = new Http1Stream(this, request, response, request.expectsContinue);
    const exchange = new Exchange(connection, stream, new RouteRequest(init), !request.hasBody || upgrade !== undefined, upgrade);
    stream.exchange = exchange;
    this.#current = exchange;
    connection.exchangeStarted();
    if (request.hosts > 1 || target.invalid) {
      // RFC 9112 3.2: more than one Host, or a target that is none.
      connection.closing = true;
      exchange.addFlag('DPE');
      exchange.localReply(400, 'Bad Request', 'http1.codec_error');
      return;
    }
    exchange.start();
  }

  /** An exchange for an answer without a request. */
  #refuse(): Exchange {
    const stream = new RefusingStream(this.socket, () => this.lingeringClose());
    const request = new RouteRequest({ method: '', scheme: 'http', authority: '', path: '', headers: [] });
    const exchange = new Exchange(this.connection, stream, request, true);
    this.#current = exchange;
    this.connection.exchangeStarted();
    return exchange;
  }

  #watchHeaders(bytesAtIdle: number): void {
    const { headersTimeout } = this.connection.manager.settings;
    if (headersTimeout === 0) return;
    this.#bytesAtIdle = bytesAtIdle;
    this.#headersSince = 0;
    this.#headerTimer = startTimer(this, 0, headersTimeout / LOOKS_PER_TIMEOUT);
  }

  #onClose(): void {
    this.#headerTimer?.cancel();
    this.#queue = undefined;
    if (this.#released) return;
    this.#current?.onDownstreamReset('downstream_remote_disconnect');
  }
}
