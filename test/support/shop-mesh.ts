/** The demo shop's mesh under `fairlead up`, with ports of its own, both versions of its catalog, and somebody who asks for it all the time. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentClient } from '../../agent/client.ts';
import type { AgentStatus } from '../../agent/status.ts';
import { type Backend, startBackend } from './backend.ts';
import { type Running, startFairlead } from './cli.ts';
import { realEnvoy } from './envoy.ts';
import { createClient, until } from './http.ts';
import { testPort } from './mesh.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

export interface ShopMesh {
  /** Where `examples/shop/mesh` lies. */
  readonly root: string;
  readonly v1: Backend;
  readonly v2: Backend;
  /** For commands: this agent, this engine, a state directory of its own. */
  readonly env: Record<string, string>;
  /** The share of each version in the last answers, by `x-instance`. */
  seen(): Record<string, number>;
}

/** The ports as the example has them, of which each gets another one. */
const PORTS = /\b(?:1500[12]|18\d{3})\b/g;

/** A workload whose HTTP proxy would get the next port from 15001 on, which others may have. */
const UNPLACED = /^kind: WorkloadEntry\nmetadata:\n {2}name: \S+\n(?! {2}annotations)/gm;

/** Copies the shop with other ports. */
function copyShop(root: string, ports: ReadonlyMap<string, number>): string {
  const mesh = join(root, 'examples/shop/mesh');
  cpSync(examples, join(root, 'examples'), { recursive: true });
  const others = new Map(ports);
  const other = (port: string): string => {
    if (!others.has(port)) others.set(port, testPort());
    return String(others.get(port));
  };
  for (const name of readdirSync(mesh)) {
    const file = join(mesh, name);
    const text = readFileSync(file, 'utf8').replaceAll(PORTS, other);
    writeFileSync(
      file,
      text.replaceAll(UNPLACED, (entry) => `${entry}  annotations: { fairlead.dev/http-proxy-port: "${testPort()}" }\n`),
    );
  }
  return mesh;
}

/** Every 20th of its calls fails. */
export function failEvery20th(backend: Backend): void {
  const healthy = backend.handler;
  backend.handler = (request, response) => {
    if (backend.requests % 20 === 0) response.writeHead(500).end();
    else healthy.call(backend, request, response);
  };
}

/** Runs with the shop's mesh up and in sync, and requests for its catalog on their way. */
export async function withShopMesh(engine: 'embedded' | 'envoy', run: (shop: ShopMesh) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const [v1, v2] = await Promise.all([startBackend('v1'), startBackend('v2')]);
  const port = testPort();
  const mesh = copyShop(
    root,
    new Map([
      ['15001', port],
      ['18081', v1.port],
      ['18082', v2.port],
    ]),
  );
  const data = join(root, 'data');
  const address = `unix:${join(data, 'agent.sock')}`;
  const envoy = realEnvoy();
  const env: Record<string, string> = { FAIRLEAD_ENGINE: engine, FAIRLEAD_AGENT: address, XDG_STATE_HOME: join(root, 'state') };
  if (engine === 'envoy' && 'path' in envoy) env['ENVOY_PATH'] = envoy.path;
  const up: Running = startFairlead(['up', mesh, '--data', data, '--api-port', '0', '--quiet'], env);
  const client = createClient(`127.0.0.1:${port}`);
  const last: string[] = [];
  let stopped = false;
  const traffic = async (): Promise<void> => {
    while (!stopped) {
      const answer = await client.get('http://catalog/').catch(() => undefined);
      last.push(String(answer?.headers['x-instance'] ?? answer?.status));
      if (last.length > 300) last.shift();
      await new Promise((r) => setTimeout(r, 4));
    }
  };
  let running: Promise<void> | undefined;
  try {
    await until(
      'the mesh runs',
      async () => {
        if (up.child.exitCode !== null) throw new Error(`up ended with ${up.child.exitCode}: ${up.err()}`);
        const { proxies = [] } = await agentClient(address)
          .getJson<Partial<AgentStatus>>('/fairlead/v1/status')
          .catch((): Partial<AgentStatus> => ({}));
        return proxies.length > 0 && proxies.every(({ sync }) => sync === 'SYNCED');
      },
      60_000,
    );
    running = traffic();
    await run({
      root,
      v1,
      v2,
      env,
      seen: () => Object.fromEntries([...new Set(last)].map((name) => [name, last.filter((n) => n === name).length / last.length])),
    });
  } finally {
    stopped = true;
    await running;
    client.close();
    up.child.kill('SIGTERM');
    await up.ended;
    await Promise.all([v1.close(), v2.close()]);
    rmSync(root, { recursive: true, force: true });
  }
}
