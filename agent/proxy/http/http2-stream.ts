import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { http2 } from '../http2-module.ts';
import type { RawHeaders } from '../types.ts';
import type { DownstreamStream } from './downstream-stream.ts';
import type { Exchange } from './exchange.ts';

/** The longest pause after which a stream is asked again whether its answer is out. */
const MAX_WAIT_MS = 100;

/** Streams whose headers wait for the end of the current turn. */
let waiting: Http2Stream[] = [];

function flushWaiting(): void {
  const streams = waiting;
  waiting = [];
  for (const stream of streams) stream.flush();
}

/** One request and answer over HTTP/2. */
export class Http2Stream implements DownstreamStream {
  readonly protocol = 'HTTP/2';
  readonly expectsContinue: boolean;
  readonly #stream: ServerHttp2Stream;
  #exchange: Exchange | undefined;
  #status = 0;
  #headers: RawHeaders | undefined;
  #trailers: RawHeaders | undefined;
  #listening = false;
  #ended = false;

  constructor(stream: ServerHttp2Stream, expectsContinue: boolean) {
    this.#stream = stream;
    this.expectsContinue = expectsContinue;
  }

  serve(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#stream.on('close', () => {
      if (!this.#ended) exchange.onDownstreamReset('http2.remote_reset');
    });
  }

  sendInformational(status: number, headers: RawHeaders): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    this.#attempt(() => this.#stream.additionalHeaders({ ':status': status, ...objectOf(headers) }));
  }

  sendHeaders(status: number, headers: RawHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (waiting.length === 0) queueMicrotask(flushWaiting);
    waiting.push(this);
  }

  sendData(chunk: Buffer): boolean {
    this.flush();
    if (this.#stream.destroyed || this.#stream.closed) return true;
    const ready = this.#stream.write(chunk);
    if (!ready) this.#stream.once('drain', () => this.#exchange!.onDownstreamDrain());
    return ready;
  }

  sendEnd(trailers: RawHeaders | undefined): void {
    this.#ended = true;
    const headers = this.#headers;
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (headers !== undefined && trailers === undefined) {
      this.#headers = undefined;
      this.#respond(headers, { endStream: true, sendDate: false });
    } else {
      this.#trailers = trailers;
      this.flush();
      stream.end();
    }
    // RFC 9113 8.1: what is left of the request is not wanted.
    if (!this.#exchange!.requestEnded) {
      stream.resume();
      this.#letGo();
    }
  }

  /**
   * Ends a request whose answer is complete. A stream is finished for node:http2 before the frame with END_STREAM is out: it may wait for trailers, for
   * the client's window or for the socket, and a reset would overtake it. Nothing tells when it is sent.
   */
  #letGo(wait = 1): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.state.localClose === 1) stream.close(http2().constants.NGHTTP2_NO_ERROR);
    else setTimeout(() => this.#letGo(Math.min(2 * wait, MAX_WAIT_MS)), wait);
  }

  flush(): void {
    const headers = this.#headers;
    if (headers === undefined) return;
    this.#headers = undefined;
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (!this.#respond(headers, { waitForTrailers: true, sendDate: false })) return;
    stream.once('wantTrailers', () => {
      // Without any, this is an empty DATA frame that ends the stream.
      if (!stream.destroyed) this.#attempt(() => stream.sendTrailers(objectOf(this.#trailers ?? [])));
    });
  }

  tunnel(_status: number, headers: RawHeaders): Duplex {
    // RFC 8441 5: 200 stands for 101, and there is no Upgrade.
    const kept = headers.filter((_part, i) => !HANDSHAKE.has(headers[i - (i % 2)]!));
    this.#ended = true;
    this.#attempt(() => this.#stream.respond({ ':status': 200, ...objectOf(kept) }, { sendDate: false } as never));
    return this.#stream;
  }

  reset(): void {
    this.#ended = true;
    this.#headers = undefined;
    if (!this.#stream.destroyed) this.#stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
  }

  resumeRequest(): void {
    const stream = this.#stream;
    if (this.#listening) {
      stream.resume();
      return;
    }
    this.#listening = true;
    const exchange = this.#exchange!;
    let trailers: RawHeaders | undefined;
    stream.on('trailers', (_headers: object, _flags: number, raw?: string[]) => {
      trailers = raw;
    });
    stream.on('data', (chunk: Buffer) => exchange.onRequestData(chunk));
    // Trailers come as one event with the end, before or after it.
    stream.on('end', () =>
      setImmediate(() => {
        if (!stream.aborted) exchange.onRequestEnd(trailers);
      }),
    );
  }

  pauseRequest(): void {
    this.#stream.pause();
  }

  #respond(headers: RawHeaders, options: object): boolean {
    const head = objectOf(headers);
    head[':status'] = this.#status;
    return this.#attempt(() => this.#stream.respond(head, options as never));
  }

  /** False when node:http2 does not let a status or a field of an upstream pass: the stream is cut off, the proxy lives on. */
  #attempt(send: () => void): boolean {
    try {
      send();
      return true;
    } catch {
      this.#stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
      return false;
    }
  }
}

/** RFC 9113 8.2.2: fields of a connection have no place in HTTP/2. In trailers and 1xx answers they were not taken out before. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const HANDSHAKE: ReadonlySet<string> = new Set(['connection', 'upgrade', 'sec-websocket-accept', 'date', 'content-length']);

/** Header names come from the network: no prototype is behind them. */
function objectOf(flat: readonly string[]): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = Object.create(null);
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    if (CONNECTION_FIELDS.has(name)) continue;
    const value = flat[i + 1]!;
    const before = out[name];
    if (before === undefined) out[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else out[name] = [String(before), value];
  }
  return out;
}
