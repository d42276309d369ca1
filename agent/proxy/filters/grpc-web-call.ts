import { grpcStatusOf } from '../../../src/routing/grpc.ts';
import { removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import type { Exchange } from '../http/exchange.ts';
import { grpcMessage } from '../http/grpc-message.ts';
import type { RawHeaders } from '../types.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { Base64Frames } from './base64-frames.ts';
import type { BodyTranscoder } from './body-transcoder.ts';

const BINARY = 'application/grpc-web+proto';
const TEXT = 'application/grpc-web-text+proto';
/** PROTOCOL-WEB.md: the frame's most significant bit says that it carries the trailers, as header lines. */
const TRAILERS_FLAG = 0x80;
/** Envoy: so much of an answer that is no gRPC becomes its grpc-message. */
const LARGEST_MESSAGE = 16 * 1024;

/** One gRPC-Web call on its way to a gRPC server and back. Envoy: GrpcWebFilter. */
export class GrpcWebCall implements BodyTranscoder {
  readonly #exchange: Exchange;
  readonly #decoder: Base64Decoder | undefined;
  readonly #frames: Base64Frames | undefined;
  #status = 0;
  #headers: RawHeaders = [];
  /** The body of an answer that is no gRPC, as far as it is wanted. */
  #foreign: Buffer[] | undefined;
  #foreignBytes = 0;

  constructor(exchange: Exchange, textRequest: boolean, textResponse: boolean) {
    this.#exchange = exchange;
    this.#decoder = textRequest ? new Base64Decoder() : undefined;
    this.#frames = textResponse ? new Base64Frames() : undefined;
  }

  requestData(chunk: Buffer): Buffer | undefined {
    if (this.#decoder === undefined) return chunk;
    const bytes = this.#decoder.decode(chunk);
    if (bytes === undefined) this.#refuse('grpc_base_64_decode_failed');
    return bytes === undefined || bytes.length === 0 ? undefined : bytes;
  }

  requestEnd(): boolean {
    if (this.#decoder === undefined || this.#decoder.complete) return true;
    this.#refuse('grpc_base_64_decode_failed_bad_size');
    return false;
  }

  responseHeaders(status: number, headers: RawHeaders): boolean {
    // Envoy: what is no gRPC, and no gRPC-Web that an upstream made by itself, becomes a grpc-message.
    const native = status === 200 && isNative(headers);
    removeHeader(headers, 'content-length');
    setHeader(headers, 'content-type', this.#frames === undefined ? BINARY : TEXT);
    this.#status = status;
    this.#headers = headers;
    if (!native) this.#foreign = [];
    return native;
  }

  responseData(chunk: Buffer): Buffer | undefined {
    if (this.#foreign !== undefined) {
      const room = LARGEST_MESSAGE - this.#foreignBytes;
      if (room > 0) this.#foreign.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      this.#foreignBytes += chunk.length;
      return undefined;
    }
    if (this.#frames === undefined) return chunk;
    const encoded = this.#frames.encode(chunk);
    return encoded.length === 0 ? undefined : encoded;
  }

  responseEnd(trailers: RawHeaders | undefined): Buffer | undefined {
    if (this.#foreign !== undefined) {
      // Without a body these are trailers alone, or headers that say all there is: they stay as they are.
      if (this.#foreignBytes > 0 || trailers !== undefined) this.#describe(this.#foreign);
      return undefined;
    }
    const rest = this.#frames?.end() ?? '';
    if (trailers === undefined) return rest === '' ? undefined : Buffer.from(rest, 'latin1');
    const frame = trailersFrame(trailers);
    return this.#frames === undefined ? frame : Buffer.from(rest + frame.toString('base64'), 'latin1');
  }

  #describe(body: readonly Buffer[]): void {
    const headers = this.#headers;
    setHeader(headers, 'grpc-message', grpcMessage(Buffer.concat(body)));
    setHeader(headers, 'grpc-status', String(grpcStatusOf(this.#status)));
    setHeader(headers, 'content-length', '0');
  }

  #refuse(details: string): void {
    this.#exchange.localReply(400, 'Bad gRPC-web request, invalid base64 data.', details);
  }
}

function isNative(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'content-type') continue;
    const type = headers[i + 1]!;
    if (type === 'application/grpc' || type.startsWith('application/grpc+')) return true;
    const media = type.split(';', 1)[0]!.trimEnd().toLowerCase();
    return media === 'application/grpc-web' || media === BINARY;
  }
  return false;
}

function trailersFrame(trailers: RawHeaders): Buffer {
  let lines = '';
  for (let i = 0; i < trailers.length; i += 2) lines += `${trailers[i]}:${trailers[i + 1]}\r\n`;
  const frame = Buffer.allocUnsafe(5 + lines.length);
  frame[0] = TRAILERS_FLAG;
  frame.writeUInt32BE(lines.length, 1);
  frame.write(lines, 5, 'latin1');
  return frame;
}
