/** By gRPC status code, 0 to 16. */
const HTTP = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** The HTTP status that outlier detection takes a gRPC status for. Envoy: Grpc::Utility::grpcToHttpStatus. */
export function httpStatusOfGrpc(grpcStatus: number): number {
  return HTTP[grpcStatus] ?? 500;
}
