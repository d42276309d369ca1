import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RawHeaders } from '../types.ts';
import type { DownstreamStream } from './downstream-stream.ts';
import { messageHead } from './message-head.ts';

/** Answers on the bare socket where the bytes gave no request to answer; the connection ends behind it. */
export class RefusingStream implements DownstreamStream {
  readonly protocol = 'HTTP/1.1';
  readonly expectsContinue = false;
  readonly #socket: Socket;
  readonly #close: () => void;

  constructor(socket: Socket, close: () => void) {
    this.#socket = socket;
    this.#close = close;
  }

  sendHeaders(status: number, headers: RawHeaders): void {
    if (!headers.includes('content-length')) headers.push('content-length', '0');
    headers.push('connection', 'close');
    this.#socket.write(messageHead(status, headers), 'latin1');
  }

  sendData(chunk: Buffer): boolean {
    return this.#socket.write(chunk);
  }

  sendEnd(): void {
    this.#close();
  }

  reset(): void {
    this.#socket.destroy();
  }

  tunnel(): Duplex {
    return this.#socket;
  }

  sendInformational(): void {}
  resumeRequest(): void {}
  pauseRequest(): void {}
}
