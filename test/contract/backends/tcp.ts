/** Servers without HTTP: what comes in goes back as `NAME:text`. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Reply } from '../case.ts';
import type { Arrival, Backend } from './types.ts';

async function listening(
  name: string,
  server: Server,
  reply: Reply,
  address: string,
  arrivals: Arrival[],
  held: (() => void)[] = [],
): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  return {
    name,
    port: (server.address() as AddressInfo).port,
    reply,
    arrivals,
    release: () => {
      for (const go of held.splice(0)) go();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function echo(name: string, socket: Socket, protocol: string, sni: string, arrivals: Arrival[], held?: (() => void)[]): void {
  const arrival: Arrival = { backend: name, protocol, method: '', path: '', authority: sni, headers: [], body: '' };
  arrivals.push(arrival);
  socket.on('error', () => undefined);
  socket.on('data', (d) => {
    arrival.body += d;
    if (held) held.push(() => socket.write(`${name}:${d}`));
    else socket.write(`${name}:${d}`);
  });
  socket.on('end', () => socket.end());
}

export function startTcpBackend(name: string, reply: Reply, address: string): Promise<Backend> {
  const arrivals: Arrival[] = [];
  const held: (() => void)[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (reply.reset) socket.resetAndDestroy();
    else echo(name, socket, 'tcp', '', arrivals, reply.hold ? held : undefined);
  });
  return listening(name, server, reply, address, arrivals, held);
}

/** Tells the server name that the client asked for. */
export function startTlsBackend(name: string, reply: Reply, address: string, tls: TlsOptions): Promise<Backend> {
  const arrivals: Arrival[] = [];
  const server = createTls({ ...tls, allowHalfOpen: true }, (socket: TLSSocket) =>
    echo(name, socket, 'tls', String(socket.servername || ''), arrivals),
  );
  server.on('tlsClientError', () => undefined);
  return listening(name, server, reply, address, arrivals);
}

/** A port on which nothing listens: connections are refused. */
export async function closedBackend(name: string, reply: Reply, address: string): Promise<Backend> {
  const server = createServer();
  const backend = await listening(name, server, reply, address, []);
  await backend.close();
  return { ...backend, close: async () => undefined };
}
