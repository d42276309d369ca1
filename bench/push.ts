/**
 * How long a save takes to reach traffic: one file with a large mesh, `fairlead up` on it, and a client that asks through its proxy
 * all the time.
 *
 *   node bench/push.ts [SERVICES] [embedded|envoy …] [plain|heavy …]
 *
 * The first full push: an agent with a nearly empty mesh runs, the file with all services is saved, and a request to one of them is
 * answered. The start: all processes, with the file already there.
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
import { MESH_SHAPES, type MeshShape } from './mesh-shapes.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
/** Saves of each kind. */
const rounds = 10;
const DEADLINE_MS = 120_000;
/** Rests of the agent before and between saves. */
const SETTLE_MS = 2000;
const BETWEEN_MS = 300;
const ENGINES = ['embedded', 'envoy'];
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

/** The whole mesh; the probe stands in the middle of it. */
function meshYaml(services: number, shape: MeshShape): { before: string; after: string } {
  const all = Array.from({ length: services }, (_, i) => shape.service(i));
  return { before: all.slice(0, services / 2).join(''), after: all.slice(services / 2).join('') };
}

/** A host that is not known yet is looked up by the proxy, which takes seconds where names cannot be resolved: what is measured is the mesh. */
const GIVE_UP_MS = 500;

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
    req.setTimeout(GIVE_UP_MS, () => req.destroy());
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
  /** Of all processes with a nearly empty mesh. */
  bare: number;
  push: number;
  /** Of all processes, with the whole file. */
  start: number;
  routes: number[];
  endpoints: number[];
  slowest: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(services: number, shape: MeshShape, engine: string): Promise<Times> {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const file = join(scratch, 'mesh', 'mesh.yaml');
  const draft = join(scratch, 'draft');
  const backends = ['a', 'b'].map((name) => createServer((_req, res) => res.end(name)));
  const [a, b] = (await Promise.all(backends.map(listen))) as [number, number];
  const proxyPort = await freePort();
  const { before, after } = meshYaml(services, shape);
  const head = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "proxyHttpPort: ${proxyPort}" }
`;
  const write = (text: string): number => {
    writeFileSync(draft, text);
    const now = performance.now();
    renameSync(draft, file);
    return now;
  };
  const save = (probe: Probe): number => write(head + before + probeYaml(probe) + after);
  mkdirSync(join(scratch, 'mesh'));
  let running: ChildProcess | undefined;
  const start = (data: string): number => {
    const args = ['up', join(scratch, 'mesh'), '--quiet', '--data', join(scratch, data), '--api-port', '0', '--engine', engine];
    const now = performance.now();
    running = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    return now;
  };
  const stop = async (): Promise<void> => {
    running?.kill('SIGTERM');
    if (running) await exited(running);
    running = undefined;
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen = (from: number, wanted: (answer: Answer) => boolean): ReturnType<typeof until> => until(from, proxyPort, agent, wanted);
  try {
    const probe: Probe = { revision: 0, port: a };
    write(head);
    const { took: bare } = await seen(start('one'), () => true);
    await pause(SETTLE_MS);
    const { took: push } = await seen(save(probe), ({ status, body }) => status === 200 && body === 'a');
    const times: Times = { bare, push, start: 0, routes: [], endpoints: [], slowest: 0 };
    // What the agent does right after its first push is not part of a save.
    await pause(SETTLE_MS);
    for (let round = 0; round < rounds; round++) {
      probe.revision++;
      const route = await seen(save(probe), ({ revision }) => revision === String(probe.revision));
      times.routes.push(route.took);
      await pause(BETWEEN_MS);
      probe.port = probe.port === a ? b : a;
      const name = probe.port === a ? 'a' : 'b';
      const endpoint = await seen(save(probe), ({ body }) => body === name);
      times.endpoints.push(endpoint.took);
      times.slowest = Math.max(times.slowest, route.slowest, endpoint.slowest);
      await pause(BETWEEN_MS);
    }
    await stop();
    times.start = (await seen(start('two'), ({ status }) => status === 200)).took;
    return times;
  } finally {
    agent.destroy();
    await stop();
    for (const backend of backends) backend.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param services how many, in one file */
export async function benchPush(services = 5000, engines: readonly string[] = ENGINES, shapes = MESH_SHAPES): Promise<void> {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const envoy = realEnvoy();
  if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
  for (const shape of shapes) {
    const rows: string[][] = [];
    for (const engine of engines) {
      if (engine === 'envoy' && 'missing' in envoy) {
        console.log(`envoy is left out: ${envoy.missing}`);
        continue;
      }
      const { bare, push, start, routes, endpoints, slowest } = await measure(services, shape, engine);
      rows.push(
        [`${engine}: all processes start, nearly empty mesh`, '', ms(bare)],
        [`${engine}: first full push: the file is saved, to the first answer`, '', ms(push)],
        [`${engine}: all processes start, the file is there`, '', ms(start)],
        [`${engine}: one route saved, to the first request that sees it`, ms(Math.max(...routes)), ms(median(routes))],
        [`${engine}: one endpoint saved, to the first request that sees it`, ms(Math.max(...endpoints)), ms(median(endpoints))],
        [`${engine}: the slowest request during these saves`, ms(slowest), ''],
      );
    }
    console.log(`${shape.name}: ${services} services in one file, ${shape.what}`);
    console.log(figures([['', 'longest', `once, or median of ${rounds}`], ...rows]));
  }
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const count = args.find((arg) => /^\d+$/.test(arg));
  const engines = ENGINES.filter((engine) => args.includes(engine));
  const shapes = MESH_SHAPES.filter(({ name }) => args.includes(name));
  await benchPush(
    count === undefined ? undefined : Number(count),
    engines.length > 0 ? engines : undefined,
    shapes.length > 0 ? shapes : undefined,
  );
}
