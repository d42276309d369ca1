import type { RawHeaders } from '../types.ts';

/** The gRPC status that headers or trailers tell; undefined without one, or when it is no number. */
export function grpcStatusIn(headers: RawHeaders | undefined): number | undefined {
  if (headers === undefined) return undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'grpc-status') continue;
    const value = headers[i + 1]!;
    return /^\d+$/.test(value) ? Number(value) : undefined;
  }
  return undefined;
}
