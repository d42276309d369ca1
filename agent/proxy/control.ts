/** The proxy process's own API, on its Unix socket; protocol.ts says what it is. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Problem } from '../../src/errors.ts';
import { handleAdmin } from './admin/handler.ts';
import type { EventStreams } from './event-streams.ts';
import type { ProxyHost } from './host.ts';
import { type ConfigChanges, type Hello, PROTOCOL_VERSION, type ProxyConfig } from './protocol.ts';

export interface ControlDeps {
  host: ProxyHost;
  events: EventStreams;
  version: string;
  startedAt: number;
  /** The process is to end, once the answer is out. */
  stop(): void;
}

type Handler = (
  deps: ControlDeps,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
  query: URLSearchParams,
) => Promise<void> | void;

const ROUTES: readonly [method: string, path: RegExp, handler: Handler][] = [
  ['GET', /^\/fairlead\/v1\/hello$/, ({ host, version, startedAt }, _req, res) => sendJson(res, 200, hello(host, version, startedAt))],
  ['GET', /^\/fairlead\/v1\/events$/, ({ events }, _req, res, _id, query) => events.attach(res, query.get('records') === 'true')],
  ['PUT', /^\/fairlead\/v1\/proxies\/([^/]+)$/, putConfig],
  ['PUT', /^\/fairlead\/v1\/proxies\/([^/]+)\/secrets$/, putSecrets],
  ['PATCH', /^\/fairlead\/v1\/proxies\/([^/]+)$/, patchConfig],
  [
    'GET',
    /^\/fairlead\/v1\/proxies\/([^/]+)\/config$/,
    ({ host }, _req, res, id) => {
      const proxy = host.get(id);
      if (proxy) sendJson(res, 200, proxy.config);
      else sendJson(res, 404, { error: `no proxy ${id}` });
    },
  ],
  [
    'DELETE',
    /^\/fairlead\/v1\/proxies\/([^/]+)$/,
    async ({ host }, _req, res, id) => {
      await host.remove(id);
      sendJson(res, 200, {});
    },
  ],
  [
    'POST',
    /^\/fairlead\/v1\/drain$/,
    async ({ host }, req, res) => {
      const { deadlineMs } = (await readJson(req)) as { deadlineMs: number };
      await host.drain(deadlineMs);
      sendJson(res, 200, {});
    },
  ],
  [
    'POST',
    /^\/fairlead\/v1\/stop$/,
    ({ stop }, _req, res) => {
      res.on('finish', stop);
      sendJson(res, 200, {});
    },
  ],
];

/** Not listening yet; the caller binds it to its socket. */
export function createControlServer(deps: ControlDeps): Server {
  return createServer((request, response) => {
    void dispatch(deps, request, response).catch((error: Error) => {
      if (!response.headersSent) sendJson(response, 400, { error: error.message });
      else response.destroy();
    });
  });
}

async function dispatch(deps: ControlDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://proxy');
  const admin = /^\/proxies\/([^/]+)(\/.*)$/.exec(url.pathname);
  if (admin) {
    const proxy = deps.host.get(decodeURIComponent(admin[1] as string));
    if (proxy) return handleAdmin(proxy, deps, request.method ?? 'GET', admin[2] as string, url.searchParams, response);
    return sendJson(response, 404, { error: `no proxy ${admin[1]}` });
  }
  for (const [method, path, handler] of ROUTES) {
    const match = request.method === method ? path.exec(url.pathname) : null;
    if (match) return handler(deps, request, response, decodeURIComponent(match[1] ?? ''), url.searchParams);
  }
  sendJson(response, 404, { error: `no ${request.method} ${url.pathname}` });
}

async function putConfig({ host }: ControlDeps, request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
  const config = (await readJson(request)) as ProxyConfig;
  answerApply(response, config.version, await host.apply(id, config));
}

async function patchConfig({ host }: ControlDeps, request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
  const changes = (await readJson(request)) as ConfigChanges;
  const problems = await host.change(id, changes);
  if (problems === undefined) sendJson(response, 412, { error: `version ${changes.from} does not run` });
  else answerApply(response, changes.version, problems);
}

async function putSecrets({ host }: ControlDeps, request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
  const secrets = (await readJson(request)) as SecretJson[];
  if (!Array.isArray(secrets)) throw new Error('a list of secrets is expected');
  const problems = await host.setSecrets(id, secrets);
  if (problems.length === 0) sendJson(response, 200, {});
  else sendJson(response, 400, { problems });
}

function answerApply(response: ServerResponse, version: string, problems: Problem[]): void {
  if (problems.length === 0) sendJson(response, 200, { applied: true, version });
  else sendJson(response, 409, { applied: false, version, problems });
}

function hello(host: ProxyHost, version: string, startedAt: number): Hello {
  const proxies = host.all().map((p) => ({ id: p.id, version: p.config.version }));
  return { engine: 'embedded', protocol: PROTOCOL_VERSION, version, pid: process.pid, startedAt, proxies };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
