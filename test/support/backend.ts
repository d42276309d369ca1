/** A real HTTP server that tells what reached it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Backend {
  readonly port: number;
  /** Requests that arrived. */
  requests: number;
  /** What it does with a request; replaced at will. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

/** Answers 200 with `x-instance: <name>` and, as JSON, method, url and headers of the request. */
export async function startBackend(name: string, address = '127.0.0.1'): Promise<Backend> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    backend.requests++;
    backend.handler(request, response);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const backend: Backend = {
    port: (server.address() as AddressInfo).port,
    requests: 0,
    handler(request, response) {
      request.resume();
      request.on('end', () => {
        const body = JSON.stringify({ instance: name, method: request.method, url: request.url, headers: request.headers });
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-instance': name, 'content-length': Buffer.byteLength(body) })
          .end(body);
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return backend;
}
