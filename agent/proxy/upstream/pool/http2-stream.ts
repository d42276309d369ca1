import type { ClientHttp2Stream } from 'node:http2';
import { http2 } from '../../http2-module.ts';
import type { RawHeaders, ResetReason, UpstreamHandler, UpstreamRequest, UpstreamStream } from '../../types.ts';
import { PROTOCOL_ERROR, REMOTE_REFUSED, REMOTE_RESET, TERMINATED } from '../reset-reasons.ts';
import type { Http2Connection } from './http2-connection.ts';
import { http2RequestHeaders, trailersObject, withoutPseudo } from './http2-headers.ts';
import type { Http2Pool } from './http2-pool.ts';

/** One request over HTTP/2. What is written before it has a connection waits. */
export class Http2Stream implements UpstreamStream {
  /** Waits in the pool for a connection. */
  pending = false;
  connection: Http2Connection | undefined;
  readonly #pool: Http2Pool;
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  #stream: ClientHttp2Stream | undefined;
  #waiting: Buffer[] = [];
  #ended = false;
  #trailers: RawHeaders | undefined;
  #answerEnded = false;
  #answerTrailers: RawHeaders | undefined;
  #over = false;

  constructor(pool: Http2Pool, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#pool = pool;
    // The caller changes its request for the next attempt; this one may not have been sent by then.
    this.#request = { ...request };
    this.#handler = handler;
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#stream !== undefined) return this.#stream.write(chunk);
    this.#waiting.push(chunk);
    return false;
  }

  end(trailers?: RawHeaders): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    this.#stream?.end();
  }

  resume(): void {
    if (!this.#over) this.#stream?.resume();
  }

  cancel(why: Parameters<UpstreamStream['cancel']>[0]): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.onCancelled(this, why === 'timeout' || why === 'per-try-timeout');
    this.#stream?.close(http2().constants.NGHTTP2_CANCEL);
  }

  /** Ends it before any answer. */
  fail(reason: ResetReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onReset(reason);
  }

  /** Sends it. False: the session would not take it, and another connection has to. */
  attach(connection: Http2Connection): boolean {
    const { endStream } = this.#request;
    let stream: ClientHttp2Stream;
    try {
      // Node takes flat lists; its types do not know yet.
      stream = connection.session.request(http2RequestHeaders(this.#request) as never, { endStream, waitForTrailers: !endStream });
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ERR_HTTP2_GOAWAY_SESSION' || code === 'ERR_HTTP2_INVALID_SESSION') return false;
      this.connection = connection;
      queueMicrotask(() => this.#broken(PROTOCOL_ERROR));
      return true;
    }
    this.connection = connection;
    this.#stream = stream;
    this.#listen(stream);
    this.#handler.onConnected?.(this.#pool.host, connection.localAddress);
    if (this.#over) return true;
    if (!endStream) {
      for (const chunk of this.#waiting) stream.write(chunk);
      const waited = this.#waiting.length > 0;
      this.#waiting = [];
      if (this.#ended) stream.end();
      else if (waited) queueMicrotask(() => this.#over || this.#handler.onDrain?.());
    }
    return true;
  }

  #listen(stream: ClientHttp2Stream): void {
    type Listener = (headers: { ':status'?: number }, flags: number, raw: RawHeaders) => void;
    const on = (event: string, listener: Listener): unknown => stream.on(event, listener as never);
    on('headers', (headers, _flags, raw) => {
      if (!this.#over) this.#handler.onInformational?.(Number(headers[':status']), withoutPseudo(raw));
    });
    on('response', (headers, _flags, raw) => {
      if (this.#over) return;
      stream.on('data', this.#onData);
      this.#handler.onHeaders(Number(headers[':status']), withoutPseudo(raw));
    });
    on('trailers', (_headers, _flags, raw) => {
      this.#answerTrailers = raw;
    });
    stream.on('end', () => {
      this.#answerEnded = true;
      // Trailers come as one event with the end, before or after it.
      setImmediate(this.#finish);
    });
    stream.on('drain', () => {
      if (!this.#over) this.#handler.onDrain?.();
    });
    stream.on('wantTrailers', () => this.#sendTrailers(stream));
    stream.on('error', () => {});
    stream.on('close', () => this.#closed(stream));
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    try {
      stream.sendTrailers(trailersObject(this.#trailers));
    } catch {
      // Names that HTTP/2 does not allow, pseudo header fields for one.
      stream.close(http2().constants.NGHTTP2_PROTOCOL_ERROR);
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#over && !this.#handler.onData(chunk)) this.#stream!.pause();
  };

  readonly #finish = (): void => {
    if (this.#over) return;
    const rst = this.#stream!.rstCode;
    // RFC 9113 8.1: a server may end with NO_ERROR what it need not read to the end.
    if (rst !== undefined && rst !== http2().constants.NGHTTP2_NO_ERROR) {
      this.#broken(reasonOf(rst));
      return;
    }
    this.#over = true;
    this.#pool.onEnded(this);
    if (this.#answerTrailers !== undefined) this.#handler.onTrailers?.(this.#answerTrailers);
    this.#handler.onEnd();
    // The answer is whole, the request is not: nobody reads the rest of it.
    if (!this.#ended && !this.#request.endStream) this.#stream!.close(http2().constants.NGHTTP2_NO_ERROR);
  };

  #closed(stream: ClientHttp2Stream): void {
    if (this.#over) return;
    const rst = stream.rstCode ?? http2().constants.NGHTTP2_NO_ERROR;
    if (this.#answerEnded && rst === http2().constants.NGHTTP2_NO_ERROR) {
      this.#finish();
      return;
    }
    const { connection } = this;
    // Node closes the streams of a lost connection with CANCEL or NO_ERROR of its own.
    const lost = connection!.lost && rst !== http2().constants.NGHTTP2_REFUSED_STREAM;
    this.#broken(lost || rst === http2().constants.NGHTTP2_NO_ERROR ? TERMINATED : reasonOf(rst));
  }

  #broken(reason: ResetReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.onBroken(this, reason);
    this.#handler.onReset(reason);
  }
}

function reasonOf(rst: number): ResetReason {
  if (rst === http2().constants.NGHTTP2_REFUSED_STREAM) return REMOTE_REFUSED;
  return rst === http2().constants.NGHTTP2_PROTOCOL_ERROR ? PROTOCOL_ERROR : REMOTE_RESET;
}
