/** A gRPC server on a Unix socket and, with certificates on both sides, on TCP. */
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { FairleadError } from '../../src/errors.ts';
import type { GrpcService } from './services.ts';

export interface GrpcServerOptions {
  socket: string;
  /** Of the socket; 0600 unless it is said. */
  mode?: number | undefined;
  tcp?: { host: string; port: number; tls: { key: string; cert: string; ca: string } };
  services: readonly GrpcService[];
}

export interface GrpcServer {
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** A client that does not answer a ping for so long is dead. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };
const LIMITS = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': 64 << 20 };

/** Throws E_ENGINE_FAILED when a socket cannot be had. */
export async function createGrpcServer({ socket, mode = 0o600, tcp, services }: GrpcServerOptions): Promise<GrpcServer> {
  const grpc = await import('@grpc/grpc-js');
  const server = new grpc.Server({ ...KEEPALIVE, ...LIMITS });
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  try {
    await bindUnix(server, socket, mode, grpc.ServerCredentials.createInsecure());
    const port = tcp && (await bindTcp(server, tcp, grpc.ServerCredentials));
    const { ino } = statSync(socket);
    return {
      port,
      async close() {
        server.forceShutdown();
        // A successor may have put its own there.
        if (inode(socket) === ino) rmSync(socket, { force: true });
      },
    };
  } catch (error) {
    server.forceShutdown();
    if (error instanceof FairleadError) throw error;
    throw new FairleadError('E_ENGINE_FAILED', `the xDS server cannot listen: ${(error as Error).message}`, { cause: error });
  }
}

/** Binds under a name beside it and renames: clients never meet a socket that nobody serves, nor one that others can open. */
async function bindUnix(server: Server, socket: string, mode: number, credentials: ServerCredentials): Promise<void> {
  if (await isServed(socket)) throw new FairleadError('E_ENGINE_FAILED', `${socket} is served by another process`);
  const scratch = join(dirname(socket), `.${process.pid.toString(36)}`);
  rmSync(scratch, { force: true });
  await bind(server, `unix:${scratch}`, credentials);
  chmodSync(scratch, mode);
  renameSync(scratch, socket);
}

function bindTcp(
  server: Server,
  { host, port, tls }: NonNullable<GrpcServerOptions['tcp']>,
  credentials: typeof ServerCredentials,
): Promise<number> {
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return bind(server, address, credentials.createSsl(Buffer.from(tls.ca), [pair], true));
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))));
}

function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
