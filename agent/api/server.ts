/**
 * The agent's HTTP API, on loopback and on a Unix socket: Envoy's admin endpoints of a proxy in Envoy's own formats, and the
 * agent's own under /fairlead/v1/.
 *
 *   GET  /fairlead/v1/status            AgentStatus
 *   GET  /fairlead/v1/events?records=   one JSON object a line: {request}, {config}, {engine}
 *   POST /fairlead/v1/sync              read the configuration now
 *   POST /fairlead/v1/drain {deadlineMs}
 *   POST /fairlead/v1/stop {deadlineMs}
 *   *    /proxies/NAME.NAMESPACE/<Envoy's admin path>, or the path alone for the node's first proxy
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FairleadError } from '../../src/errors.ts';
import type { Controller, ProxySync } from '../controller.ts';
import type { Engine } from '../engine.ts';
import type { EventHub } from '../events.ts';
import type { AgentStatus } from '../status.ts';
import { attachEvents } from './event-stream.ts';
import { readBody, refuseStranger, sendJson } from './http.ts';

export interface ApiOptions {
  socket: string;
  port: number | undefined;
  engine: Engine;
  controller: Controller;
  events: EventHub;
  status(): AgentStatus;
  stop(deadlineMs: number): Promise<void>;
}

export interface ApiServer {
  /** Where it listens: `http://127.0.0.1:15000`, or undefined without a port. */
  readonly url: string | undefined;
  readonly socket: string;
  close(): Promise<void>;
}

const DEFAULT_DRAIN_MS = 30_000;

/** Listens. Throws E_PORT_IN_USE or E_PORT_FORBIDDEN. */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const servers: Server[] = [];
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(options, request, response).catch((error: Error) => {
      if (!response.headersSent) sendJson(response, 502, { error: { message: error.message } });
      else response.destroy();
    });
  };
  const listen = (at: { path: string } | { port: number; host: string }): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer({ requestTimeout: 30_000 }, handler);
      server.once('error', reject);
      server.listen(at, () => resolve(server));
    });
  rmSync(options.socket, { force: true });
  servers.push(await listen({ path: options.socket }));
  chmodSync(options.socket, 0o600);
  let url: string | undefined;
  if (options.port !== undefined) {
    try {
      const server = await listen({ port: options.port, host: '127.0.0.1' });
      servers.push(server);
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    } catch (error) {
      for (const s of servers) s.close();
      throw portError(error as NodeJS.ErrnoException, options.port);
    }
  }
  return {
    url,
    socket: options.socket,
    async close() {
      await Promise.all(
        servers.map(
          (s) =>
            new Promise<void>((resolve) => {
              s.close(() => resolve());
              s.closeAllConnections();
            }),
        ),
      );
      rmSync(options.socket, { force: true });
    },
  };
}

async function answer(options: ApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (refuseStranger(request, response)) return;
  const url = new URL(request.url ?? '/', 'http://agent');
  const method = request.method ?? 'GET';
  if (url.pathname.startsWith('/fairlead/v1/')) return own(options, method, url, request, response);
  const named = /^\/proxies\/([^/]+)(\/.*)$/.exec(url.pathname);
  const name = named ? decodeURIComponent(named[1] as string) : undefined;
  const proxy = findProxy(options.controller.proxies(), name);
  if (!proxy) {
    const known = options.controller.proxies().map((p) => `${p.node.name}.${p.node.namespace}`);
    return sendJson(response, 404, {
      error: { code: 'E_PROXY_UNKNOWN', message: name ? `no proxy ${name} runs on this node` : 'no proxy runs on this node', known },
    });
  }
  const path = (named?.[2] ?? url.pathname) + url.search;
  const { status, contentType, body } = await options.engine.admin(proxy.node.id, method, path);
  response.writeHead(status, { 'content-type': contentType || 'text/plain', 'content-length': body.length }).end(body);
}

async function own(options: ApiOptions, method: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (`${method} ${url.pathname.slice('/fairlead/v1'.length)}`) {
    case 'GET /status':
      return sendJson(response, 200, options.status());
    case 'GET /events':
      return attachEvents(options.events, options.engine, request, response, url.searchParams.get('records') !== 'false');
    case 'POST /sync':
      await options.controller.sync();
      return sendJson(response, 200, options.status());
    case 'POST /drain':
      await options.engine.drain(deadlineOf(await readBody(request)));
      return sendJson(response, 200, options.status());
    case 'POST /stop': {
      const deadline = deadlineOf(await readBody(request));
      response.on('finish', () => void options.stop(deadline));
      return sendJson(response, 202, { stopping: true });
    }
    default:
      return sendJson(response, 404, { error: { message: `no ${method} ${url.pathname}` } });
  }
}

/** Without a name: the node's first proxy, gateways before sidecars. */
function findProxy(proxies: readonly ProxySync[], name: string | undefined): ProxySync | undefined {
  if (name === undefined) return proxies.find((p) => p.node.type === 'router') ?? proxies[0];
  const matches = proxies.filter((p) => p.node.id === name || `${p.node.name}.${p.node.namespace}` === name || p.node.name === name);
  return matches.length === 1 ? matches[0] : matches.find((p) => `${p.node.name}.${p.node.namespace}` === name);
}

function deadlineOf(body: unknown): number {
  const value = (body as { deadlineMs?: unknown } | undefined)?.deadlineMs;
  return typeof value === 'number' && value >= 0 ? value : DEFAULT_DRAIN_MS;
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new FairleadError('E_PORT_IN_USE', `port ${port} of the agent's API is in use`, {
      next: 'Another agent may be running here (`fairlead agent status`). Give this one another port with --api-port, or 0 for a free one.',
      cause: error,
    });
  }
  return new FairleadError('E_PORT_FORBIDDEN', `the agent's API cannot listen on port ${port}: ${error.message}`, {
    next: 'Give another port with --api-port.',
    cause: error,
  });
}
