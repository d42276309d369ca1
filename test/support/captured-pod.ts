/** A pod in a network of its own: an application that knows nothing of proxies, and an agent with Envoy before it. */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bin } from './cli.ts';
import { until } from './http.ts';
import { type Host, PROXY_USER, type Who } from './network.ts';

/** Answers on each port with what it was asked, as JSON. `GET /hits` counts the requests before it; ports are on all addresses. */
const APPLICATION = `
  const hits = [];
  for (const port of process.argv[1].split(',').map(Number))
    require('node:http').createServer((request, response) => {
      const { method, url, headers, socket } = request;
      if (url === '/hits') return response.end(JSON.stringify(hits));
      hits.push(url);
      response.statusCode = url.startsWith('/sick') ? 503 : 200;
      response.end(JSON.stringify({ port, method, url, headers, from: socket.remoteAddress, at: socket.localAddress, to: process.argv[2] }));
    }).listen(port, '::', () => console.log('listens ' + port));
`;

const CALL = `
  const [url, headers, localAddress] = process.argv.slice(1);
  const tell = (answer) => console.log(JSON.stringify(answer));
  require('node:http')
    .get(url, { headers: JSON.parse(headers), agent: false, timeout: 10000, ...(localAddress && { localAddress }) }, (response) => {
      let body = '';
      response.on('data', (part) => { body += part; }).on('end', () => tell({ status: response.statusCode, body }));
    })
    .on('timeout', function () { this.destroy(new Error('no answer')); })
    .on('error', (error) => tell({ failed: error.code ?? error.message }));
`;

export interface Answer {
  status?: number;
  /** Of the application. */
  seen?: { port: number; url: string; headers: Record<string, string>; from: string; at: string; to: string };
  text?: string;
  /** Why there was no answer. */
  failed?: string;
}

/** Starts the application on its ports. */
export const startApplication = (host: Host, ...ports: number[]): Promise<void> => startServer(host, 'app', ...ports);

/** The same, run by somebody else. */
export async function startServer(host: Host, who: Who, ...ports: number[]): Promise<void> {
  const child = host.start(who, process.execPath, '-e', APPLICATION, ports.join(','), host.name);
  let said = '';
  child.stdout?.on('data', (text: Buffer) => {
    said += text;
  });
  await until(`the application on ${host.name} listens`, () => ports.every((port) => said.includes(`listens ${port}`)), 20_000);
}

export interface Caller {
  headers?: Record<string, string>;
  /** An application, unless it is said. */
  who?: Who;
  localAddress?: string;
}

/** One request, made on this host. */
export function call(host: Host, url: string, { headers = {}, who = 'app', localAddress = '' }: Caller = {}): Answer {
  const { out, err } = host.run(who, process.execPath, '-e', CALL, url, JSON.stringify(headers), localAddress);
  if (out === '') throw new Error(`no word of the caller: ${err}`);
  const { status, body, failed } = JSON.parse(out) as { status?: number; body?: string; failed?: string };
  if (status === undefined) return { failed: failed ?? '' };
  return body?.startsWith('{') ? { status, seen: JSON.parse(body) as NonNullable<Answer['seen']> } : { status, text: body ?? '' };
}

export interface PodOptions {
  envoy: string;
  /** The mesh's folder. */
  mesh: string;
  /** For data and the CA, in which the CA's directory is `ca`. */
  folder: string;
  env?: Record<string, string>;
  flags?: readonly string[];
}

/** The capture of a pod's connections. */
export function capture(host: Host, ...flags: string[]): void {
  runInitContainer(host, ['agent', 'capture', 'apply', '--proxy-user', String(PROXY_USER), ...flags]);
}

/** Runs the command line as its container would: by root without any right of root's but NET_ADMIN. */
export function runInitContainer(host: Host, args: readonly string[]): void {
  const only = ['--bounding-set', '-all,+net_admin', '--inh-caps', '-all', '--no-new-privs'];
  const { code, err } = host.run('root', 'setpriv', ...only, process.execPath, bin, ...args);
  if (code !== 0) throw new Error(`${args.join(' ')} on ${host.name}: ${err}`);
}

/** Starts the agent of a pod and waits until it is ready. */
export async function startPodAgent(host: Host, { envoy, mesh, folder, env = {}, flags = [] }: PodOptions): Promise<{ log(): string }> {
  const data = join(folder, host.name);
  mkdirSync(data, { recursive: true });
  chownSync(data, PROXY_USER, PROXY_USER);
  const settings = { ENVOY_PATH: envoy, HOME: data, NO_COLOR: '1', ...env };
  const args = ['agent', 'run', '-f', mesh, '--pods', 'own', '--engine', 'envoy', '--data', join(data, 'agent')];
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const child = host.start('proxy', 'env', ...words, process.execPath, bin, ...args, '--ca-dir', join(folder, 'ca'), ...flags);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => {
      log += text;
    });
  let ready = false;
  const ask = (): boolean => {
    if (child.exitCode !== null) throw new Error(`the agent on ${host.name} ended: ${log}`);
    ready ||= host.run('proxy', process.execPath, bin, 'agent', 'ready', '--timeout', '3s').code === 0;
    return ready;
  };
  try {
    await until(`the agent on ${host.name} is ready`, ask, 60_000);
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${log}`);
  }
  return { log: () => log };
}

/** The mesh's authority, which both agents sign with. */
export function makeAuthority(folder: string): void {
  const ca = join(folder, 'ca');
  const { status, stderr } = spawnSync(process.execPath, [bin, 'ca', 'init', '--ca-dir', ca], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  spawnSync('chown', ['-R', String(PROXY_USER), ca]);
}
