import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import type { Socket } from 'node:net';
import type { HttpOptions } from '../../../../src/upstream/http-options.ts';
import { http2 } from '../../http2-module.ts';
import { startTimeout } from '../start-timeout.ts';

/** What the pool wants to hear of a session. */
export interface SessionEvents {
  closed(connection: Http2Connection, local: boolean): void;
  /** The peer takes no more streams on it (GOAWAY), or it lived for `max_connection_duration`. */
  draining(connection: Http2Connection, why: 'goaway' | 'duration'): void;
  /** The peer allows more streams, or fewer. */
  limitChanged(): void;
  idleTimeout(connection: Http2Connection): void;
}

/** One HTTP/2 connection with prior knowledge (RFC 9113 3.3). */
export class Http2Connection {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly openedAt = performance.now();
  readonly localAddress: string;
  streams = 0;
  requests = 0;
  draining = false;
  closed = false;
  /** The transport is gone, whatever the streams say. */
  lost = false;
  readonly #options: HttpOptions;
  readonly #events: SessionEvents;
  readonly #timers: (NodeJS.Timeout | undefined)[] = [];
  #idleTimer: NodeJS.Timeout | undefined;
  #local = false;

  constructor(socket: Socket, options: HttpOptions, events: SessionEvents) {
    this.socket = socket;
    this.#options = options;
    this.#events = events;
    const ip = socket.localAddress;
    this.localAddress = ip === undefined ? '' : `${ip.includes(':') ? `[${ip}]` : ip}:${socket.localPort}`;
    const { initialStreamWindow, initialConnectionWindow, keepalive } = options.http2;
    const session = http2().connect('http://upstream', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: initialStreamWindow },
      strictFieldWhitespaceValidation: false,
      strictSingleValueFields: false,
      // Node's types do not know the last one yet.
    } as SecureClientSessionOptions);
    this.session = session;
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(initialConnectionWindow);
    });
    socket.once('close', () => {
      this.lost = true;
    });
    session.on('remoteSettings', () => events.limitChanged());
    session.on('goaway', () => this.#drain('goaway'));
    session.on('error', () => {
      this.lost = true;
    });
    session.on('close', () => this.#gone());
    if (options.maxConnectionDuration > 0) this.#timers.push(startTimeout(() => this.#drain('duration'), options.maxConnectionDuration));
    if (keepalive !== undefined) this.#timers.push(setInterval(() => this.#ping(keepalive.timeout), keepalive.interval).unref());
    this.#watchIdle();
  }

  /** It takes one more stream. */
  get ready(): boolean {
    if (this.draining || this.closed || this.session.closed || this.session.destroyed) return false;
    const allowed = this.session.remoteSettings?.maxConcurrentStreams ?? 4_294_967_295;
    return this.streams < Math.min(allowed, this.#options.http2.maxConcurrentStreams);
  }

  streamStarted(): void {
    this.streams++;
    this.requests++;
    clearTimeout(this.#idleTimer);
  }

  streamEnded(): void {
    this.streams--;
    if (this.streams > 0) return;
    if (this.draining) this.close();
    else this.#watchIdle();
  }

  /** Ends at once, with everything on it. */
  close(): void {
    if (this.closed) return;
    this.#local = true;
    if (!this.session.destroyed) {
      if (this.streams === 0) this.session.close();
      else this.session.destroy();
    }
    this.#gone();
  }

  #watchIdle(): void {
    const { idleTimeout } = this.#options;
    if (idleTimeout > 0) this.#idleTimer = startTimeout(() => this.#events.idleTimeout(this), idleTimeout);
  }

  #ping(timeout: number): void {
    if (this.session.destroyed || this.session.closed) return;
    const timer = startTimeout(() => {
      this.lost = true;
      this.session.destroy();
    }, timeout);
    this.#timers[1] = timer;
    this.session.ping(() => clearTimeout(timer));
  }

  #drain(why: 'goaway' | 'duration'): void {
    if (this.draining) return;
    this.draining = true;
    this.#events.draining(this, why);
    if (this.streams === 0) this.close();
  }

  #gone(): void {
    if (this.closed) return;
    this.closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#idleTimer);
    this.#events.closed(this, this.#local);
  }
}
