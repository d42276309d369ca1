import type { GrpcServiceJson } from '#envoy-api/envoy/config/core/v3/grpc_service_pb.js';
import { jsonDuration } from '../../../../src/routing/json-duration.ts';
import type { ProblemList } from '../../../../src/routing/problems.ts';
import { nodeAddress } from '../../http/client-policy.ts';
import { grpcStatusIn } from '../../http/grpc-status-in.ts';
import type { ClusterManager } from '../../types.ts';
import { callCluster } from '../call-cluster.ts';
import { checkFields } from '../unsupported.ts';
import type { AuthzAnswer } from './answer.ts';
import { decodeCheckResponse } from './check-response.ts';

/** Asks `envoy.service.auth.v3.Authorization/Check` with an encoded CheckRequest. */
export type GrpcAuthzClient = (
  clusters: ClusterManager,
  request: Uint8Array,
  done: (answer: AuthzAnswer | undefined) => void,
) => { cancel(): void };

const PATH = '/envoy.service.auth.v3.Authorization/Check';
/** Envoy's default. */
const TIMEOUT_MS = 200;
const HEAD_BYTES = 5;

export function compileGrpcClient(json: GrpcServiceJson, path: string, problems: ProblemList): GrpcAuthzClient {
  checkFields('GrpcService', json, path, problems);
  const { clusterName: cluster = '', authority } = json.envoyGrpc ?? {};
  if (json.envoyGrpc !== undefined && cluster === '') problems.invalid(`${path}.envoyGrpc.clusterName`, 'is required');
  const timeout = jsonDuration(json.timeout, `${path}.timeout`, problems) ?? TIMEOUT_MS;
  return (clusters, request, done) => {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(request.length, 1);
    const headers = [
      ...['host', authority || cluster, 'te', 'trailers', 'content-type', 'application/grpc'],
      ...(timeout > 0 ? ['grpc-timeout', `${timeout}m`] : []),
      ...['x-envoy-internal', 'true', 'x-forwarded-for', nodeAddress()],
    ];
    const body = Buffer.concat([head, request]);
    return callCluster(clusters, { cluster, method: 'POST', path: PATH, headers, body, timeout, http2: true }, (answer) => {
      const status = answer && (grpcStatusIn(answer.trailers) ?? grpcStatusIn(answer.headers));
      if (answer?.status !== 200 || status !== 0 || answer.body.length < HEAD_BYTES || answer.body[0] !== 0) {
        done(undefined);
        return;
      }
      let decoded: AuthzAnswer | undefined;
      try {
        decoded = decodeCheckResponse(answer.body.subarray(HEAD_BYTES, HEAD_BYTES + answer.body.readUInt32BE(1)));
      } catch {
        decoded = undefined;
      }
      done(decoded);
    });
  };
}
