import type { Socket } from 'node:net';
import type { ConnectionInfo } from '../listener/connection.ts';
import type { ConnectionManager } from './connection-manager.ts';
import { startTimer, type TimerOwner, type WheelTimer } from './timer-wheel.ts';

const TIMER = { idle: 0, maxDuration: 1, drain: 2 } as const;
/** Envoy: drain_timeout, between the announcement and the end of an idle connection. */
const DRAIN_MS = 5000;

/** What a connection needs of its codec. */
export interface ConnectionCodec {
  readonly http2: boolean;
  exchangeDone(): void;
  /** No further requests: GOAWAY. HTTP/1 says so with the next answer. */
  announceClose(): void;
  /** Ends the connection when what was written is out. */
  close(): void;
}

/** One downstream HTTP connection: limits, idleness, and how it comes to its end. */
export class HttpConnection implements TimerOwner {
  /** Replaced when the listener's configuration changes: new requests go by the new one. */
  manager: ConnectionManager;
  readonly info: ConnectionInfo;
  readonly socket: Socket;
  closing = false;
  active = 0;
  codec: ConnectionCodec | undefined;
  readonly #opened = performance.now();
  readonly #accepted: ConnectionManager;
  #requests = 0;
  #idleSince = performance.now();
  #timers: (WheelTimer | undefined)[] = [undefined, undefined, undefined];

  constructor(manager: ConnectionManager, info: ConnectionInfo, socket: Socket) {
    this.manager = this.#accepted = manager;
    this.info = info;
    this.socket = socket;
  }

  /** The codec is known: the connection counts and its clocks run. */
  open(codec: ConnectionCodec): void {
    this.codec = codec;
    if (this.closing) codec.announceClose();
    const { stats, settings } = this.#accepted;
    stats.cxTotal.inc();
    stats.cxActive.inc();
    (codec.http2 ? stats.cxHttp2Total : stats.cxHttp1Total).inc();
    (codec.http2 ? stats.cxHttp2Active : stats.cxHttp1Active).inc();
    if (settings.idleTimeout > 0) this.#start(TIMER.idle, settings.idleTimeout);
    if (settings.maxConnectionDuration > 0) this.#start(TIMER.maxDuration, settings.maxConnectionDuration);
    this.socket.once('close', () => this.#closed());
  }

  /** A request begins. */
  exchangeStarted(): void {
    this.active++;
    this.#requests++;
    const { maxRequests } = this.manager.settings;
    if (maxRequests > 0 && this.#requests >= maxRequests && !this.closing) {
      this.manager.stats.cxMaxRequests.inc();
      this.closeAfterResponse();
    }
  }

  exchangeDone(): void {
    this.active--;
    if (this.active === 0) this.#idleSince = performance.now();
    this.codec!.exchangeDone();
    if (this.active > 0) return;
    // HTTP/1 closes behind the answer that said so.
    if (this.closing && this.codec?.http2 === true) this.codec.close();
  }

  /** True when the answer of this exchange is the connection's last. */
  shouldClose(): boolean {
    return this.closing;
  }

  /** The requests in flight are the last ones. */
  closeAfterResponse(): void {
    if (this.closing) return;
    this.closing = true;
    this.codec?.announceClose();
  }

  /** The listener goes away: as closeAfterResponse, and an idle connection ends after a while by itself. */
  drain(): void {
    this.closeAfterResponse();
    this.#start(TIMER.drain, DRAIN_MS);
  }

  onTimer(kind: number): void {
    const { stats, settings } = this.#accepted;
    if (kind === TIMER.idle) {
      const left = this.#idleSince + settings.idleTimeout - performance.now();
      if (this.active > 0 || left > 0) {
        this.#start(TIMER.idle, this.active > 0 ? settings.idleTimeout : left);
        return;
      }
      stats.cxIdleTimeout.inc();
    } else if (kind === TIMER.maxDuration) {
      stats.cxMaxDuration.inc();
      this.closeAfterResponse();
    }
    if (this.active === 0) this.codec?.close();
  }

  #start(kind: number, ms: number): void {
    this.#timers[kind]?.cancel();
    this.#timers[kind] = startTimer(this, kind, ms);
  }

  #closed(): void {
    const { stats } = this.#accepted;
    stats.cxActive.dec();
    (this.codec?.http2 === true ? stats.cxHttp2Active : stats.cxHttp1Active).dec();
    stats.cxLength.record(performance.now() - this.#opened);
    for (const timer of this.#timers) timer?.cancel();
  }
}
