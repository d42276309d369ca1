import { hasHeader, removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import type { RawHeaders } from '../types.ts';
import { grpcMessage } from './grpc-message.ts';

const GRPC_INTERNAL = 13;
const GRPC_UNAVAILABLE = 14;
/** Envoy: Grpc::Utility::httpToGrpcStatus. */
const GRPC_OF_HTTP: ReadonlyMap<number, number> = new Map([
  [400, GRPC_INTERNAL],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, GRPC_UNAVAILABLE],
  [502, GRPC_UNAVAILABLE],
  [503, GRPC_UNAVAILABLE],
  [504, GRPC_UNAVAILABLE],
]);

/**
 * Completes the headers of an answer that the proxy makes itself; returns the body to send. A content type that is there already
 * stays; without a body there is none. Envoy: Http::Utility::prepareLocalReply.
 */
export function describePlain(headers: RawHeaders, body: string | Buffer): Buffer | undefined {
  removeHeader(headers, 'content-length');
  if (body.length === 0) {
    removeHeader(headers, 'content-type');
    return undefined;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  headers.push('content-length', String(bytes.length));
  if (!hasHeader(headers, 'content-type')) headers.push('content-type', 'text/plain');
  return bytes;
}

/** The same for a gRPC client: the HTTP status is 200, and what went wrong is in grpc-status and grpc-message. */
export function describeGrpc(headers: RawHeaders, status: number, body: string | Buffer, grpcStatus?: number): undefined {
  removeHeader(headers, 'content-length');
  setHeader(headers, 'content-type', 'application/grpc');
  setHeader(headers, 'grpc-status', String(grpcStatus ?? grpcStatusOf(status)));
  if (body.length > 0) setHeader(headers, 'grpc-message', grpcMessage(typeof body === 'string' ? Buffer.from(body) : body));
  return undefined;
}

/** Envoy: Grpc::Utility::httpToGrpcStatus. */
export function grpcStatusOf(status: number): number {
  return GRPC_OF_HTTP.get(status) ?? 2;
}
