import type { Duplex } from 'node:stream';
import type { RawHeaders } from '../types.ts';

/**
 * One request's place in a codec: how an exchange answers. Order: sendInformational*, then sendHeaders, sendData*, sendEnd; or
 * tunnel alone. `reset` at any time ends it without finishing. Headers are final: nothing is added but framing.
 */
export interface DownstreamStream {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  /** 100 Continue is to be sent before the client sends its body. */
  readonly expectsContinue: boolean;
  sendInformational(status: number, headers: RawHeaders): void;
  sendHeaders(status: number, headers: RawHeaders): void;
  /** False: wait for the exchange's onDownstreamDrain. */
  sendData(chunk: Buffer): boolean;
  sendEnd(trailers: RawHeaders | undefined): void;
  /** The answer to a switch of protocols; the raw bytes of both directions from here on. */
  tunnel(status: number, headers: RawHeaders): Duplex;
  reset(): void;
  /** Starts the request's body, or goes on after a pause. */
  resumeRequest(): void;
  pauseRequest(): void;
}

/** What a codec tells about its request. */
export interface DownstreamEvents {
  onRequestData(chunk: Buffer): void;
  onRequestEnd(trailers: RawHeaders | undefined): void;
  onDownstreamDrain(): void;
  /** The client is gone, or gave this request up. */
  onDownstreamReset(details: string): void;
}
