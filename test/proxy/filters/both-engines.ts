/** One listener with some filters on the embedded proxy and on the real Envoy, so that their answers can be compared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { realEnvoy } from '../../support/envoy.ts';
import { clusterJson, type TestCluster } from '../http/cluster-json.ts';
import { type Harness, listenerJson, routesJson, startHarness, until } from '../http/harness.ts';

const FILE_LOG = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';

/** What both engines are to have in common for one request. */
export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** What the backend saw, when it was asked. */
  seen: Seen | undefined;
  log: Readonly<Record<string, unknown>>;
}

export interface Seen {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface Engine {
  readonly port: number;
  /** Bytes of one request that closes its connection. */
  send(request: string): Promise<Answer>;
  /** By name; undefined: there is none. */
  stat(name: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface Setup {
  filters: readonly object[];
  clusters?: TestCluster[];
  routes?: RouteJson[];
  manager?: Partial<HttpConnectionManagerJson>;
  /** More fields of the access log, by name: `%DYNAMIC_METADATA(…)%`. */
  log?: Readonly<Record<string, string>>;
}

/** Echoes what it sees. */
export async function echoBackend(): Promise<{ host: string; server: Server }> {
  const server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on('data', (chunk) => body.push(chunk));
    request.on('end', () => {
      const headers: Record<string, string> = {};
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        const name = request.rawHeaders[i]!.toLowerCase();
        const before = headers[name];
        headers[name] = before === undefined ? request.rawHeaders[i + 1]! : `${before} | ${request.rawHeaders[i + 1]}`;
      }
      const seen: Seen = { method: request.method!, url: request.url!, headers, body: Buffer.concat(body).toString('latin1') };
      response.setHeader('content-type', 'application/x-seen');
      response.end(JSON.stringify(seen));
    });
  });
  return { host: await listen(server), server };
}

export async function listen(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function managerJson(setup: Setup, logFile: string): Partial<HttpConnectionManagerJson> {
  return {
    httpFilters: [
      ...setup.filters,
      { name: 'envoy.filters.http.router', typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } },
    ] as never,
    accessLog: [
      {
        name: 'file',
        typedConfig: {
          '@type': FILE_LOG,
          path: logFile,
          logFormat: {
            jsonFormat: { details: '%RESPONSE_CODE_DETAILS%', flags: '%RESPONSE_FLAGS%', ...setup.log },
          },
        } as AnyJson,
      },
    ],
    // Envoy waits so long for the client to close first.
    delayedCloseTimeout: '0s',
    ...setup.manager,
  };
}

export async function startEmbedded(setup: Setup): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-filters-'));
  const logFile = join(folder, 'log');
  const harness: Harness = await startHarness({
    ...(setup.clusters && { clusters: setup.clusters }),
    ...(setup.routes && { routes: setup.routes }),
    manager: managerJson(setup, logFile),
  });
  return {
    port: harness.port,
    send: sender(harness.port, logFile),
    stat: (name) => Promise.resolve(harness.stats.counter(name).value),
    async close() {
      await harness.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Undefined where there is no Envoy. */
export async function startEnvoy(setup: Setup): Promise<Engine | undefined> {
  const envoy = realEnvoy();
  if ('missing' in envoy) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-filters-'));
  const logFile = join(folder, 'log');
  const manager = managerJson(setup, logFile);
  const options = { ...(setup.routes && { routes: setup.routes }), manager: { ...manager, rds: undefined } };
  const listener = listenerJson(options as never);
  const config = listener.filterChains![0]!.filters![0]!.typedConfig as Record<string, unknown>;
  delete config['rds'];
  config['routeConfig'] = routesJson(options as never);
  const clusters = (setup.clusters ?? []).map(clusterJson);
  const process_ = await startEnvoyProcess(envoy.path, folder, { staticResources: { listeners: [listener], clusters } });
  const statuses = (await process_.admin('/listeners?format=json')) as {
    listener_statuses: { local_address: { socket_address: { port_value: number } } }[];
  };
  const port = statuses.listener_statuses[0]!.local_address.socket_address.port_value;
  return {
    port,
    send: sender(port, logFile),
    async stat(name) {
      const { stats } = (await process_.admin(`/stats?format=json&filter=^${name.replaceAll('.', '\\.')}$`)) as {
        stats: { name?: string; value?: number }[];
      };
      return stats.find((s) => s.name === name)?.value;
    },
    async close() {
      await process_.close();
      rmSync(folder, { recursive: true });
    },
  };
}

interface EnvoyProcess {
  admin(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Runs Envoy with one configuration, until its listeners serve; throws what it says when it refuses. */
export async function startEnvoyProcess(path: string, folder: string, config: object): Promise<EnvoyProcess> {
  const file = join(folder, 'envoy.json');
  const adminFile = join(folder, 'admin');
  const admin = { address: { socketAddress: { address: '127.0.0.1', portValue: 0 } } };
  // As Istio's bootstrap says.
  const staticLayer = { 'envoy.reloadable_features.http_reject_path_with_fragment': false };
  writeFileSync(file, JSON.stringify({ admin, layeredRuntime: { layers: [{ name: 'static', staticLayer }] }, ...config }));
  const args = [
    '-c',
    file,
    '--use-dynamic-base-id',
    '--admin-address-path',
    adminFile,
    '--concurrency',
    '1',
    '--file-flush-interval-msec',
    '5',
  ];
  const child: ChildProcess = spawn(path, [...args, '-l', process.env['ENVOY_LOG'] ?? 'error'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (chunk) => (said += chunk));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ask = async (url: string): Promise<Response> => fetch(`http://${readFileSync(adminFile, 'utf8').trim()}${url}`);
  for (const end = Date.now() + 20_000; ; ) {
    if (child.exitCode !== null) throw new Error(`Envoy ended: ${said}`);
    if (Date.now() > end) throw new Error(`Envoy is not ready: ${said}`);
    const ready = await ask('/ready').then(
      (response) => response.status === 200,
      () => false,
    );
    if (ready) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    admin: async (url) => (await ask(url)).json(),
    async close() {
      if (process.env['ENVOY_LOG']) console.error(said);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function sender(port: number, logFile: string): (request: string) => Promise<Answer> {
  let lines = 0;
  return async (request) => {
    const text = await exchange(port, request);
    const log = async (): Promise<Record<string, unknown>> => {
      let all: string[] = [];
      const read = (): boolean => {
        try {
          all = readFileSync(logFile, 'latin1').split('\n').slice(0, -1);
        } catch {
          return false;
        }
        return all.length > lines;
      };
      await until(`a log line for ${JSON.stringify(request)} (answer ${JSON.stringify(text)})`, read);
      lines++;
      return JSON.parse(all[lines - 1]!) as Record<string, unknown>;
    };
    return { ...parse(text), log: await log() };
  };
}

function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request, 'latin1'));
    let text = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the answer to ${JSON.stringify(request)}: ${JSON.stringify(text)}`));
    }, 15_000);
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.on('end', () => socket.end());
  });
}

/** Headers that no two runs have in common. */
const VARIES: ReadonlySet<string> = new Set([
  'date',
  'x-envoy-upstream-service-time',
  'x-request-id',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

function parse(text: string): Omit<Answer, 'log'> {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...rest] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  let chunked = false;
  for (const line of rest) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).toLowerCase();
    const value = line.slice(at + 1).trim();
    if (name === 'transfer-encoding') chunked = true;
    if (VARIES.has(name)) continue;
    headers[name] = headers[name] === undefined ? value : `${headers[name]} | ${value}`;
  }
  const raw = text.slice(end + 4);
  const body = chunked ? unchunk(raw) : raw;
  let seen: Seen | undefined;
  if (headers['content-type'] === 'application/x-seen') {
    const all = JSON.parse(body) as Seen;
    seen = {
      ...all,
      headers: Object.fromEntries(
        Object.entries(all.headers)
          .filter(([name]) => !VARIES.has(name))
          .sort(),
      ),
    };
  }
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(Object.entries(headers).sort()), body: seen ? '' : body, seen };
}

function unchunk(text: string): string {
  let out = '';
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at);
    const length = Number.parseInt(text.slice(at, end), 16);
    if (!(length > 0)) return out;
    out += text.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
}

/** The text of a GET, with what a case changes. */
export function get(path: string, headers: readonly string[] = [], host = 'shop.test', method = 'GET'): string {
  return `${[`${method} ${path} HTTP/1.1`, `host: ${host}`, 'connection: close', ...headers].join('\r\n')}\r\n\r\n`;
}
