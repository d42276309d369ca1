/** What meshes on an API server send traffic to and through. */
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

/** A server on all addresses that answers with its name. */
export async function startBackend(name: string): Promise<{ name: string; port: number; server: Server }> {
  const server = createServer((_, answer) => answer.end(name)).listen(0, '0.0.0.0');
  await new Promise((resolve) => server.once('listening', resolve));
  return { name, port: (server.address() as { port: number }).port, server };
}

/** A port of loopback that nobody has. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
