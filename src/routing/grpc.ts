import type { RouteRequest } from './request.ts';

/** Envoy: content-type is application/grpc, alone or followed by `+` and a format. */
export function isGrpc(request: RouteRequest): boolean {
  const type = request.header('content-type');
  if (type === undefined || !type.startsWith('application/grpc')) return false;
  return type.length === 16 || type.charCodeAt(16) === 43;
}
