/**
 * What the agent's API answers:
 *
 *   GET  /fairlead/v1/status            AgentStatus
 *   GET  /fairlead/v1/events?records=   one JSON object a line: {request}, {config}, {engine}, {dropped}
 *   POST /fairlead/v1/sync              read the configuration now, apply it, and answer with the status
 *   GET  /fairlead/v1/resources         what the configuration that was last accepted has: {kind, name, namespace, apiVersion, uid, generation, file,
 *                                       line}; uid and generation: of a cluster's objects; ?kind=, ?namespace= and ?name= choose some
 *   GET  /fairlead/v1/config            where the configuration is read from: {paths, directory, meshConfig, namespace, engine, state}; no
 *                                       texts: in files there are Secrets, and file systems know who may read them
 *   POST /fairlead/v1/drain {deadlineMs}
 *   POST /fairlead/v1/stop {deadlineMs}
 *   GET  /stats/prometheus, /metrics    the agent's metrics, Istio's standard ones, and the stats of every proxy
 *   *    /proxies/NAME.NAMESPACE/<Envoy's admin path>, or the path alone where only one proxy runs
 *   POST /quitquitquit                  ends the agent and its data plane, as it ends Envoy
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Controller, ProxySync } from '../controller.ts';
import type { Engine } from '../engine.ts';
import type { EventHub } from '../events.ts';
import type { AgentStatus } from '../status.ts';
import type { AgentMetrics } from '../telemetry/agent-metrics.ts';
import { attachEvents } from './event-stream.ts';
import { BadRequest, readBody, sendJson } from './http.ts';
import { METRICS_PATHS, sendMetrics } from './metrics-server.ts';

export interface ApiDeps {
  engine: Engine;
  controller: Controller;
  events: EventHub;
  metrics: AgentMetrics;
  status(): AgentStatus;
  stop(deadlineMs: number): Promise<void>;
}

type Endpoint = (deps: ApiDeps, request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => unknown;

const DEFAULT_DRAIN_MS = 30_000;

const OWN: ReadonlyMap<string, { method: 'GET' | 'POST'; endpoint: Endpoint }> = new Map([
  ['status', { method: 'GET', endpoint: (deps, _request, response) => sendJson(response, 200, deps.status()) }],
  [
    'events',
    {
      method: 'GET',
      endpoint: ({ events, engine }, _request, response, query) => attachEvents(events, engine, response, query.get('records') !== 'false'),
    },
  ],
  [
    'sync',
    {
      method: 'POST',
      async endpoint(deps, _request, response) {
        await deps.controller.sync();
        sendJson(response, 200, deps.status());
      },
    },
  ],
  [
    'resources',
    {
      method: 'GET',
      endpoint({ controller }, _request, response, query) {
        const isChosen = (field: string, value: string): boolean => [null, value].includes(query.get(field));
        const chosen = (controller.mesh()?.resources ?? []).filter(
          ({ kind, metadata: { name, namespace } }) => isChosen('kind', kind) && isChosen('name', name) && isChosen('namespace', namespace),
        );
        const shown = chosen.map(({ kind, apiVersion, metadata, source }) => {
          const { name, namespace, uid, generation } = metadata;
          const { file, line } = source.positionOf(['metadata', 'name']);
          return { kind, name, namespace, apiVersion, uid, generation, file, line };
        });
        sendJson(response, 200, shown);
      },
    },
  ],
  [
    'config',
    {
      method: 'GET',
      endpoint: ({ controller, engine }, _request, response) =>
        sendJson(response, 200, { ...controller.origin, engine: engine.status().engine, state: controller.config().state }),
    },
  ],
  [
    'drain',
    {
      method: 'POST',
      async endpoint(deps, request, response) {
        await deps.engine.drain(await deadlineOf(request));
        sendJson(response, 200, deps.status());
      },
    },
  ],
  [
    'stop',
    {
      method: 'POST',
      async endpoint(deps, request, response) {
        const deadline = await deadlineOf(request);
        response.on('finish', () => void deps.stop(deadline));
        sendJson(response, 202, { stopping: true });
      },
    },
  ],
]);

/** Rejects with BadRequest for what the client did wrong. */
export async function answer(deps: ApiDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://agent');
  if (!url) throw new BadRequest(400, `${JSON.stringify(request.url)} is not a path`);
  const own = /^\/fairlead(?:\/|$)/.test(url.pathname);
  if (!own) return admin(deps, request, response, url);
  const found = OWN.get(url.pathname.replace(/^\/fairlead\/v1\//, ''));
  if (!found)
    throw new BadRequest(404, `there is no ${url.pathname}; there are ${[...OWN.keys()].map((p) => `/fairlead/v1/${p}`).join(', ')}`);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== found.method) {
    response.setHeader('allow', found.method);
    throw new BadRequest(405, `${url.pathname} takes ${found.method}, not ${request.method}`);
  }
  await found.endpoint(deps, request, response, url.searchParams);
}

async function admin(deps: ApiDeps, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const named = /^\/proxies\/([^/]+)(\/.*)?$/.exec(url.pathname);
  const name = named ? decoded(named[1] as string) : undefined;
  const path = named ? (named[2] ?? '/') : url.pathname;
  const method = request.method ?? 'GET';
  // A data plane that quits alone would be started again.
  if (path === '/quitquitquit' && method === 'POST') {
    response.on('finish', () => void deps.stop(0));
    response.writeHead(200, { 'content-type': 'text/plain' }).end('OK\n');
    return;
  }
  if (!named && METRICS_PATHS.has(path) && (method === 'GET' || method === 'HEAD')) return sendMetrics(deps.metrics, url.search, response);
  const found = findProxy(deps.controller.proxies(), name, path);
  if (!('node' in found)) {
    const { status, ...error } = found;
    return sendJson(response, status, { error: { code: 'E_PROXY_UNKNOWN', ...error } });
  }
  const { status, contentType, body } = await deps.engine.admin(found.node.id, method, path + url.search);
  response.writeHead(status, { 'content-type': contentType || 'text/plain', 'content-length': body.length }).end(body);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadRequest(400, `${JSON.stringify(text)} is not percent-encoded`);
  }
}

/**
 * The proxy that is named, by its id, NAME.NAMESPACE, or a NAME that only one has; without a name, the only one. Else what is wrong and
 * the names to choose from: which of several proxies is meant is not guessed.
 */
function findProxy(
  proxies: readonly ProxySync[],
  name: string | undefined,
  path: string,
): ProxySync | { status: 400 | 404; message: string; known: string[] } {
  const exact = proxies.find((p) => p.node.id === name || fullName(p) === name);
  if (exact) return exact;
  const fitting = name === undefined ? proxies : proxies.filter((p) => p.node.name === name);
  if (fitting.length === 1) return fitting[0] as ProxySync;
  const known = (fitting.length > 0 ? fitting : proxies).map(fullName);
  if (fitting.length > 0) {
    const what = name === undefined ? 'several proxies run on this node' : `several proxies on this node are called ${name}`;
    return { status: 400, message: `${what}: name one, as in /proxies/${known[0]}${path}`, known };
  }
  return { status: 404, message: name === undefined ? 'no proxy runs on this node' : `no proxy ${name} runs on this node`, known };
}

const fullName = ({ node }: ProxySync): string => `${node.name}.${node.namespace}`;

async function deadlineOf(request: IncomingMessage): Promise<number> {
  const value = ((await readBody(request)) as { deadlineMs?: unknown } | null | undefined)?.deadlineMs;
  if (value === undefined) return DEFAULT_DRAIN_MS;
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) return value;
  throw new BadRequest(400, 'deadlineMs must be a number of milliseconds');
}
