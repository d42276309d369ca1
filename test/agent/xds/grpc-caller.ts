/**
 * Runs in a thread of its own: gRPC calls by way of `xds:///` (@grpc/grpc-js-xds, whose timers outlive its channels). `workerData` is the xDS
 * bootstrap; a message asks for a call, the answer has its id.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as grpc from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';

export interface CallRequest {
  id: number;
  target: string;
  method: string;
  metadata: Record<string, string>;
}

export interface CallAnswer {
  id: number;
  /** What the server said. */
  said?: string;
  /** gRPC's status code, when the call failed. */
  code?: number;
  details?: string;
}

process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify(workerData);
register();
const clients = new Map<string, grpc.Client>();

parentPort?.on('message', ({ id, target, method, metadata }: CallRequest) => {
  const client = clients.get(target) ?? new grpc.Client(target, grpc.credentials.createInsecure());
  clients.set(target, client);
  const headers = new grpc.Metadata();
  for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
  const answer = (message: CallAnswer): void => parentPort?.postMessage(message);
  client.makeUnaryRequest(
    method,
    (b: Buffer) => b,
    (b: Buffer) => b,
    Buffer.alloc(0),
    headers,
    { deadline: Date.now() + 10_000 },
    (error, value) => answer(error ? { id, code: error.code, details: error.details } : { id, said: String(value) }),
  );
});
