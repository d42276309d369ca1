import { grpcStatusOf } from '../../../src/routing/grpc.ts';
import { hasHeader, removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import type { RawHeaders } from '../types.ts';
import { grpcMessage } from './grpc-message.ts';

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
