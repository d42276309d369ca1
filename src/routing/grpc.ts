import type { RouteRequest } from './request.ts';

/** Envoy: content-type is application/grpc, alone or followed by `+` and a format. */
export function isGrpc(request: RouteRequest): boolean {
  const type = request.header('content-type');
  if (type === undefined || !type.startsWith('application/grpc')) return false;
  return type.length === 16 || type.charCodeAt(16) === 43;
}

const GRPC_INTERNAL = 13;
const GRPC_UNAVAILABLE = 14;
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

/** The gRPC status that a proxy's own answer has for gRPC clients. Envoy: Grpc::Utility::httpToGrpcStatus. */
export function grpcStatusOf(status: number): number {
  return GRPC_OF_HTTP.get(status) ?? 2;
}
