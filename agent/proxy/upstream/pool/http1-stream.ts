import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { RawHeaders, ResetReason, UpstreamHandler, UpstreamRequest, UpstreamStream } from '../../types.ts';
import { PROTOCOL_ERROR, TERMINATED } from '../reset-reasons.ts';
import { flatHeaders } from './flat-headers.ts';
import type { Http1Connection } from './http1-connection.ts';
import { http1Headers } from './http1-headers.ts';
import type { Http1Pool } from './http1-pool.ts';
import { RequestBody } from './request-body.ts';

type Controller = Dispatcher.DispatchController;
type IncomingHeaders = Record<string, string | string[] | undefined>;

/**
 * One request over HTTP/1.1. It is undici's dispatch options and handler in one object, so that a request makes as few of
 * them as can be.
 */
export class Http1Stream implements UpstreamStream {
  // What undici reads as options.
  readonly path: string;
  readonly method: string;
  readonly headers: RawHeaders;
  readonly body: RequestBody | null;
  readonly upgrade: string | undefined;
  /** Not to close the connection after HEAD, nor after a body that its method does not announce: the pool decides. */
  readonly reset = false;
  readonly blocking = false;

  /** Waits in the pool for a connection. */
  pending = false;
  connection: Http1Connection | undefined;
  readonly #pool: Http1Pool;
  readonly #handler: UpstreamHandler;
  #controller: Controller | undefined;
  #over = false;
  /** Something of the answer came. */
  #answered = false;

  constructor(pool: Http1Pool, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#pool = pool;
    this.#handler = handler;
    this.path = request.path;
    this.method = request.method;
    this.headers = http1Headers(request.headers);
    this.upgrade = request.upgrade;
    if (request.endStream || request.upgrade !== undefined) this.body = null;
    else this.body = new RequestBody(handler);
  }

  // UpstreamStream.

  write(chunk: Buffer): boolean {
    return this.body === null || this.#over ? true : this.body.write(chunk);
  }

  /** Envoy: trailers of requests are dropped unless the cluster enables them, which Istio never does. */
  end(): void {
    if (!this.#over) this.body?.end();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  cancel(why: Parameters<UpstreamStream['cancel']>[0]): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.onCancelled(this, why === 'timeout' || why === 'per-try-timeout');
    this.body?.destroy();
    this.#controller?.abort(new Error('cancelled'));
  }

  // For the pool.

  get over(): boolean {
    return this.#over;
  }

  /** Ends it before any answer. */
  fail(reason: ResetReason): void {
    if (this.#over) return;
    this.#over = true;
    this.body?.destroy();
    this.#handler.onReset(reason);
  }

  // undici's handler.

  onRequestStart(controller: Controller): void {
    if (this.#over) {
      controller.abort(new Error('cancelled'));
      return;
    }
    this.#controller = controller;
    this.#pool.onStarted();
    this.#handler.onConnected?.(this.#pool.host, this.connection!.localAddress);
  }

  onResponseStart(controller: Controller, status: number, headers: IncomingHeaders): void {
    if (this.#over) return;
    this.#answered = true;
    if (status < 200) {
      this.#handler.onInformational?.(status, flatHeaders(headers));
      return;
    }
    if (status === 204 && headers['content-length'] !== undefined) {
      // RFC 9110 8.6: there is none. Envoy lets a 0 pass, without the header.
      if (headers['content-length'] !== '0') {
        controller.abort(new Error('bad response'));
        return;
      }
      delete headers['content-length'];
    }
    this.#handler.onHeaders(status, flatHeaders(headers));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#over || this.#handler.onData(chunk)) return;
    controller.pause();
  }

  onResponseEnd(_controller: Controller, trailers: IncomingHeaders): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.onEnded(this);
    for (const _ in trailers) {
      this.#handler.onTrailers?.(flatHeaders(trailers));
      break;
    }
    this.#handler.onEnd();
  }

  onRequestUpgrade(_controller: Controller, status: number, headers: IncomingHeaders, socket: Duplex): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#over = true;
    this.#pool.onUpgraded(this, socket);
    if (this.#handler.onUpgrade === undefined) socket.destroy();
    else this.#handler.onUpgrade(status, flatHeaders(headers), socket);
  }

  onResponseError(_controller: Controller | null, error: Error & { code?: string }): void {
    if (this.#over) return;
    // The connection went before anything was sent on it: another one will do.
    if (this.#controller === undefined && isClosed(error)) {
      this.#pool.onNotSent(this);
      return;
    }
    this.#over = true;
    this.body?.destroy();
    // Envoy: a message that ends before it is whole is no message; one that never began is a lost connection.
    const reason = this.#answered || isProtocolError(error) ? PROTOCOL_ERROR : TERMINATED;
    this.#pool.onBroken(this, reason);
    this.#handler.onReset(reason);
  }
}

function isClosed(error: { code?: string }): boolean {
  return (
    error.code === 'UND_ERR_SOCKET' || error.code === 'UND_ERR_DESTROYED' || error.code === 'UND_ERR_CLOSED' || error.code === 'ECONNRESET'
  );
}

/** What cannot be parsed, or asked for. */
function isProtocolError(error: Error & { code?: string }): boolean {
  const { code = '' } = error;
  return (
    error.name === 'HTTPParserError' ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_INVALID_ARG' ||
    code === 'UND_ERR_NOT_SUPPORTED' ||
    code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' ||
    error.message === 'bad response' ||
    error.message === 'bad upgrade'
  );
}
