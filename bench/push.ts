/**
 * How long a save takes to reach traffic: one file with a large mesh, `fairlead up` on it, and a client that asks through its proxy
 * all the time.
 *
 *   node bench/push.ts [SERVICES [ENGINE …]]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realEnvoy } from '../test/support/envoy.ts';
import { figures, median } from './figures.ts';
import { serviceYaml, sliceYaml } from './service-yaml.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
/** Saves of each kind. */
const rounds = 10;
const DEADLINE_MS = 120_000;
const host = 'probe.default.svc.cluster.local';

/** What the probe service says at the moment. */
interface Probe {
  /** A header that its route sets. */
  revision: number;
  /** Where its only endpoint listens. */
  port: number;
}

function probeYaml({ revision, port }: Probe): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: probe, namespace: default }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: probe-a, namespace: default, labels: { kubernetes.io/service-name: probe } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: probe, namespace: default }
spec:
  hosts: [${host}]
  http:
    - headers: { response: { set: { x-revision: "${revision}" } } }
      route: [{ destination: { host: ${host} } }]
`;
}

/** The whole mesh in one file; the probe stands in the middle of it. */
function meshYaml(services: number): { before: string; after: string } {
  const one = (_: unknown, i: number): string => serviceYaml(i) + sliceYaml(i);
  const all = Array.from({ length: services }, one);
  return { before: all.slice(0, services / 2).join(''), after: all.slice(services / 2).join('') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

interface Answer {
  status: number;
  revision: string | undefined;
  body: string;
}

/** One request to the probe through the explicit proxy; undefined when nobody is there. */
function ask(proxyPort: number, agent: Agent): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const req = request(
      { agent, host: '127.0.0.1', port: proxyPort, path: `http://${host}/`, headers: { host } },
      (res: IncomingMessage) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (text: string) => {
          body += text;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, revision: res.headers['x-revision'] as string | undefined, body }));
        res.on('error', () => resolve(undefined));
      },
    );
    req.on('error', () => resolve(undefined));
    req.end();
  });
}

/** Asks again and again; the milliseconds since `from` until an answer is as wanted, and the longest that one answer took meanwhile. */
async function until(
  from: number,
  port: number,
  agent: Agent,
  wanted: (answer: Answer) => boolean,
): Promise<{ took: number; slowest: number }> {
  let slowest = 0;
  let last: Answer | undefined;
  while (performance.now() - from < DEADLINE_MS) {
    const asked = performance.now();
    const answer = await ask(port, agent);
    last = answer;
    const now = performance.now();
    if (answer !== undefined) slowest = Math.max(slowest, now - asked);
    if (answer !== undefined && wanted(answer)) return { took: now - from, slowest };
    await new Promise((resolve) => setTimeout(resolve, answer === undefined ? 5 : 1));
  }
  throw new Error(`nothing was seen within ${DEADLINE_MS / 1000} s; last: ${JSON.stringify(last ?? 'no answer')}`);
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
}

interface Times {
  first: number;
  routes: number[];
  endpoints: number[];
  slowest: number;
}

async function measure(services: number, engine: string): Promise<Times> {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const file = join(scratch, 'mesh', 'mesh.yaml');
  const draft = join(scratch, 'draft');
  const backends = ['a', 'b'].map((name) => createServer((_req, res) => res.end(name)));
  const [a, b] = (await Promise.all(backends.map(listen))) as [number, number];
  const proxyPort = await freePort();
  const { before, after } = meshYaml(services);
  const head = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "proxyHttpPort: ${proxyPort}" }
`;
  const save = (probe: Probe): number => {
    writeFileSync(draft, head + before + probeYaml(probe) + after);
    const now = performance.now();
    renameSync(draft, file);
    return now;
  };
  const probe: Probe = { revision: 0, port: a };
  mkdirSync(join(scratch, 'mesh'));
  save(probe);
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [bin, 'up', join(scratch, 'mesh'), '--quiet', '--data', join(scratch, 'data'), '--api-port', '0', '--engine', engine],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const { took: first } = await until(started, proxyPort, agent, ({ status, body }) => status === 200 && body === 'a');
    const times: Times = { first, routes: [], endpoints: [], slowest: 0 };
    // The agent settles: what it does right after its first push is not part of a save.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (let round = 0; round < rounds; round++) {
      probe.revision++;
      const route = await until(save(probe), proxyPort, agent, ({ revision }) => revision === String(probe.revision));
      times.routes.push(route.took);
      await new Promise((resolve) => setTimeout(resolve, 300));
      probe.port = probe.port === a ? b : a;
      const name = probe.port === a ? 'a' : 'b';
      const endpoint = await until(save(probe), proxyPort, agent, ({ body }) => body === name);
      times.endpoints.push(endpoint.took);
      times.slowest = Math.max(times.slowest, route.slowest, endpoint.slowest);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return times;
  } finally {
    agent.destroy();
    child.kill('SIGTERM');
    await exited(child);
    for (const backend of backends) backend.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param services how many; each has a Deployment, a Service, a VirtualService, a DestinationRule and an EndpointSlice */
export async function benchPush(services = 5000, engines: readonly string[] = ['embedded', 'envoy']): Promise<void> {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const rows: string[][] = [];
  const envoy = realEnvoy();
  for (const engine of engines) {
    if (engine === 'envoy' && 'missing' in envoy) {
      console.log(`envoy is left out: ${envoy.missing}`);
      continue;
    }
    if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const { first, routes, endpoints, slowest } = await measure(services, engine);
    rows.push(
      [`${engine}: from start to the first answer`, '', ms(first)],
      [`${engine}: one route saved, to the first request that sees it`, ms(Math.max(...routes)), ms(median(routes))],
      [`${engine}: one endpoint saved, to the first request that sees it`, ms(Math.max(...endpoints)), ms(median(endpoints))],
      [`${engine}: the slowest request meanwhile`, ms(slowest), ''],
    );
  }
  console.log(`${services} services in one file`);
  console.log(figures([['', 'longest', `median of ${rounds}`], ...rows]));
}

if (import.meta.main) {
  const [services = '5000', ...engines] = process.argv.slice(2);
  await benchPush(Number(services), engines.length > 0 ? engines : undefined);
}
