import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { SocketError } from 'undici/lib/core/errors.js';
import Client from 'undici/lib/dispatcher/client.js';
import type { HttpOptions } from '../../../../src/upstream/http-options.ts';
import { startTimeout } from '../start-timeout.ts';
import type { Http1Stream } from './http1-stream.ts';
import { sendOddPath } from './odd-path.ts';

/** Envoy: 60 KiB of headers at most. */
const MAX_HEADER_BYTES = 60 * 1024;
/** A timer's longest delay: where an idle connection is to be kept for ever. */
const NEVER = 2_147_483_647;

/** What the pool wants to hear of a connection. */
export interface ConnectionEvents {
  /** It is gone. `local`: this side closed it. */
  closed(connection: Http1Connection, local: boolean, idle: boolean): void;
  /** It lived for `max_connection_duration`. */
  expired(connection: Http1Connection): void;
}

/** One connection that is made: an undici client that has exactly this socket and never gets another one. */
export class Http1Connection {
  readonly socket: Socket;
  readonly openedAt = performance.now();
  readonly localAddress: string;
  active: Http1Stream | undefined;
  requests = 0;
  /** No more requests: it closes when the one on it is over. */
  draining = false;
  closed = false;
  readonly #client: Client;
  readonly #events: ConnectionEvents;
  readonly #timer: NodeJS.Timeout | undefined;
  #upgraded = false;

  constructor(socket: Socket, options: HttpOptions, events: ConnectionEvents) {
    this.socket = socket;
    // The cluster says which protocol is spoken; undici would go by what ALPN chose.
    if ((socket as TLSSocket).alpnProtocol === 'h2') Object.defineProperty(socket, 'alpnProtocol', { value: false });
    this.#events = events;
    this.localAddress = socket.localAddress === undefined ? '' : `${bracketed(socket.localAddress)}:${socket.localPort}`;
    const idle = options.idleTimeout > 0 ? Math.min(options.idleTimeout, NEVER) : NEVER;
    let given = false;
    this.#client = new Client('http://upstream', {
      // Of course: one request at a time, as Envoy.
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idle,
      keepAliveMaxTimeout: idle,
      maxHeaderSize: MAX_HEADER_BYTES,
      allowH2: false,
      connect: (_options: unknown, callback: buildConnector.Callback) => {
        const first = !given && !socket.destroyed;
        given = true;
        // Not at once: undici looks for work again only after it has left the connector.
        queueMicrotask(() => (first && !socket.destroyed ? callback(null, socket) : callback(new SocketError('closed'), null)));
      },
    });
    this.#client.on('disconnect', (_origin, _targets, error: Error & { code?: string }) => {
      // undici lets go of a socket that switches protocols; the stream hears of it next.
      if (error.message === 'upgrade') this.#upgraded = true;
      if (this.#upgraded) return;
      this.#gone(error.code === 'UND_ERR_INFO' || error.code === 'UND_ERR_DESTROYED', error.message === 'socket idle timeout');
    });
    // Until the first request undici does not listen.
    socket.on('error', ignore);
    socket.once('close', () => {
      if (!this.#upgraded) queueMicrotask(() => this.#gone(false, false));
    });
    if (options.maxConnectionDuration > 0) {
      this.#timer = startTimeout(() => this.#events.expired(this), options.maxConnectionDuration);
    }
  }

  send(stream: Http1Stream): void {
    this.active = stream;
    this.requests++;
    stream.connection = this;
    // The stream is options and handler both; undici's types see its flat header list as one.
    const dispatch = (options: Http1Stream): void => void this.#client.dispatch(options as never, stream as never);
    if (stream.path.startsWith('/')) dispatch(stream);
    else sendOddPath(stream, dispatch);
  }

  /** The socket belongs to the caller now; the connection counts until it closes. */
  upgraded(socket: Duplex): void {
    this.#upgraded = true;
    socket.once('close', () => this.#gone(true, false));
  }

  close(): void {
    if (this.closed || this.#upgraded) return;
    this.socket.destroy();
    this.#gone(true, false);
  }

  #gone(local: boolean, idle: boolean): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.#timer);
    if (!this.#upgraded) this.#client.destroy().catch(ignore);
    this.#events.closed(this, local, idle);
  }
}

function ignore(): void {}

function bracketed(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}
