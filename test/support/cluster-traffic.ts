/** What meshes on an API server send traffic to and through. */
import { createServer, get, type Server } from 'node:http';

export interface Backend {
  name: string;
  port: number;
  server: Server;
  /** It answers 500 for as long as this is set. */
  failing: boolean;
}

/** A server on all addresses that answers with its name. */
export async function startBackend(name: string): Promise<Backend> {
  const server = createServer((_, answer) => {
    if (backend.failing) answer.statusCode = 500;
    answer.end(name);
  }).listen(0, '0.0.0.0');
  await new Promise((resolve) => server.once('listening', resolve));
  const backend: Backend = { name, port: (server.address() as { port: number }).port, server, failing: false };
  return backend;
}

/** The status of a GET; undefined when nobody answers. */
export function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(url, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

/** Whether an agent says on its port of metrics that it is ready, as a status. */
export const readiness = (port: number): Promise<number | undefined> => statusOf(`http://127.0.0.1:${port}/healthz/ready`);
