import { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { mayHaveBody } from '../../../src/config/may-have-body.ts';
import type { RawHeaders } from '../types.ts';
import type { DownstreamStream } from './downstream-stream.ts';
import type { Exchange } from './exchange.ts';
import type { Http1Connection } from './http1-connection.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { messageHead } from './message-head.ts';
import { reasonPhrase } from './reason-phrase.ts';

/** Answers up to this size leave in one write with their headers. */
const JOINED_BYTES = 16 * 1024;

/** Streams whose headers wait for the end of the current turn. */
let waiting: Http1Stream[] = [];

function flushWaiting(): void {
  const streams = waiting;
  waiting = [];
  for (const stream of streams) stream.flush();
}

/** One request and answer over HTTP/1. Headers wait until the end of the turn, so that a short answer is one write. */
export class Http1Stream implements DownstreamStream {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1';
  readonly expectsContinue: boolean;
  exchange: Exchange | undefined;
  readonly #connection: Http1Connection;
  readonly #request: IncomingRequest;
  /** Undefined for a switch of protocols: the parser has let go of the socket. */
  #response: ServerResponse | undefined;
  /** node:http's parser has let go of the socket. */
  readonly #switched: boolean;
  #status = 0;
  #headers: RawHeaders | undefined;
  #chunk: Buffer | undefined;
  #listening = false;
  #drains = false;

  constructor(connection: Http1Connection, request: IncomingRequest, response: ServerResponse | undefined, expectsContinue: boolean) {
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    this.#switched = response === undefined;
    this.expectsContinue = expectsContinue;
    this.protocol = request.httpVersionMinor === 0 ? 'HTTP/1.0' : 'HTTP/1.1';
  }

  sendInformational(status: number, headers: RawHeaders): void {
    // RFC 9110 15.2: never to an HTTP/1.0 client.
    if (this.protocol === 'HTTP/1.0' || this.#headers !== undefined) return;
    if (status === 100 && this.#response !== undefined) {
      this.#response.writeContinue();
      return;
    }
    this.#connection.socket.write(messageHead(status, headers), 'latin1');
  }

  sendHeaders(status: number, headers: RawHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (waiting.length === 0) queueMicrotask(flushWaiting);
    waiting.push(this);
  }

  sendData(chunk: Buffer): boolean {
    if (this.#headers !== undefined && this.#chunk === undefined) {
      this.#chunk = chunk;
      return true;
    }
    this.flush();
    return this.#wrote(this.#response!.write(chunk));
  }

  sendEnd(trailers: RawHeaders | undefined): void {
    const headers = this.#headers;
    const chunk = this.#chunk;
    // An answer that comes before the request's end is the last one: what is left of the request is not worth reading.
    const early = !this.exchange!.requestEnded;
    if (early) this.#connection.connection.closing = true;
    if (headers === undefined) {
      if (trailers !== undefined && this.#sendsTrailers()) this.#response!.addTrailers(pairs(trailers));
      this.#response!.end();
    } else {
      if (chunk === undefined && !hasLength(headers) && mayHaveBody(this.#status) && this.#request.method !== 'HEAD')
        headers.push('content-length', '0');
      const response = this.#writeHead(headers);
      if (trailers !== undefined && this.#sendsTrailers()) response.addTrailers(pairs(trailers));
      if (chunk === undefined) response.end();
      // One string is one write; a buffer behind the headers would be two.
      else if (chunk.length <= JOINED_BYTES) response.end(chunk.toString('latin1', 0, chunk.length), 'latin1');
      else response.end(chunk);
    }
    if (early || this.#switched) this.#connection.lingeringClose();
  }

  /** Sends what waits: headers, and the first piece of the body when it is there. */
  flush(): void {
    const headers = this.#headers;
    if (headers === undefined) return;
    const response = this.#writeHead(headers);
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (chunk === undefined) response.flushHeaders();
    else this.#wrote(response.write(chunk));
  }

  tunnel(status: number, headers: RawHeaders): Duplex {
    const { socket } = this.#connection;
    socket.write(messageHead(status, headers), 'latin1');
    return this.#connection.release();
  }

  reset(): void {
    this.#headers = undefined;
    this.#connection.socket.destroy();
  }

  resumeRequest(): void {
    if (this.#listening) {
      this.#request.resume();
      return;
    }
    this.#listening = true;
    const request = this.#request;
    const exchange = this.exchange!;
    request.on('data', (chunk: Buffer) => exchange.onRequestData(chunk));
    request.on('end', () => {
      const raw = request.rawTrailers;
      const wanted = raw.length > 0 && exchange.manager.settings.http1Trailers;
      exchange.onRequestEnd(wanted ? raw.map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part)) : undefined);
    });
  }

  pauseRequest(): void {
    this.#request.pause();
  }

  /** enable_trailers: without it HTTP/1 clients get none, as from Envoy. */
  #sendsTrailers(): boolean {
    return this.exchange!.manager.settings.http1Trailers;
  }

  #wrote(ready: boolean): boolean {
    if (!ready && !this.#drains) {
      this.#drains = true;
      this.#response!.on('drain', () => this.exchange!.onDownstreamDrain());
    }
    return ready;
  }

  #writeHead(headers: RawHeaders): ServerResponse {
    this.#headers = undefined;
    let response = this.#response;
    if (response === undefined) {
      response = this.#response = new ServerResponse(this.#request as ConstructorParameters<typeof ServerResponse>[0]);
      response.assignSocket(this.#connection.socket);
      response.shouldKeepAlive = false;
    }
    response.sendDate = false;
    // An answer to HEAD says how its body would be framed if it had one, as Envoy's does.
    if (this.#request.method === 'HEAD' && this.protocol === 'HTTP/1.1' && mayHaveBody(this.#status) && !hasLength(headers))
      headers.push('transfer-encoding', 'chunked');
    // Framing of the connection is ours to say: node:http adds no header of its own.
    response.removeHeader('connection');
    if (this.#connection.connection.closing || !response.shouldKeepAlive) headers.push('connection', 'close');
    else if (this.protocol === 'HTTP/1.0') headers.push('connection', 'keep-alive');
    if (this.#connection.connection.manager.settings.properCase)
      for (let i = 0; i < headers.length; i += 2) headers[i] = properCase(headers[i]!);
    try {
      response.writeHead(this.#status, reasonPhrase(this.#status), headers);
    } catch {
      // An upstream's status or header that node:http does not let pass: the client is cut off, the proxy lives on.
      this.#connection.socket.destroy();
    }
    return response;
  }
}

/** Envoy: proper_case_words. */
function properCase(name: string): string {
  return name.replace(/(^|[^a-z0-9])([a-z])/g, (_all, before: string, letter: string) => before + letter.toUpperCase());
}

function hasLength(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'content-length') return true;
  return false;
}

function pairs(flat: RawHeaders): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) out.push([flat[i]!, flat[i + 1]!]);
  return out;
}
