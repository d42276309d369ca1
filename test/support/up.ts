/** `fairlead up` or `agent run` as a process, on a mesh of one service in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { agentClient } from '../../agent/client.ts';
import { processIdentity } from '../../agent/process-identity.ts';
import type { AgentStatus } from '../../agent/status.ts';
import { type Backend, startBackend } from './backend.ts';
import { type Running, startFairlead } from './cli.ts';
import { createClient, until } from './http.ts';
import { service, testPort, workload } from './mesh.ts';

export interface Up {
  readonly root: string;
  readonly mesh: string;
  readonly data: string;
  running: Running;
  /** `127.0.0.1:PORT` of the shop's explicit proxy. */
  readonly proxy: string;
  readonly backend: Backend;
  /** For `--agent`. */
  readonly agent: string;
  status(): Promise<AgentStatus>;
  /** Again, after its process has ended. */
  start(): Promise<void>;
}

/** The shop's VirtualService, with one route. `more` is YAML of it. */
export const shopRoute = (prefix: string, more = ''): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - match: [{ uri: { prefix: ${prefix} } }]${more}
    route: [{ destination: { host: shop } }]
`;

export interface UpOptions {
  command?: 'up' | 'agent run';
  /** Read at every start. */
  env?: Record<string, string>;
}

export async function withUp(run: (up: Up) => Promise<void>, { command = 'up', env = {} }: UpOptions = {}): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const backend = await startBackend('shop');
  const port = testPort();
  const mesh = join(root, 'mesh');
  const data = join(root, 'data');
  mkdirSync(mesh);
  writeFileSync(
    join(mesh, 'shop.yaml'),
    `${service('shop')}${workload('shop', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': String(port) })}`,
  );
  writeFileSync(join(mesh, 'routes.yaml'), shopRoute('/a'));
  const agent = `unix:${join(data, 'agent.sock')}`;
  const status = (): Promise<AgentStatus> => agentClient(agent).getJson<AgentStatus>('/fairlead/v1/status');
  const start = async (): Promise<void> => {
    const args = command === 'up' ? ['up', mesh] : ['agent', 'run', '-f', mesh];
    up.running = startFairlead([...args, '--data', data, '--api-port', '0'], env);
    const { running } = up;
    await until(
      'it is up',
      () => /HTTP_PROXY|the agent runs/.test(running.out() + running.err()) || running.child.exitCode !== null,
      30_000,
    );
    assert.is(running.child.exitCode, null, running.err());
  };
  const up: Up = { root, mesh, data, running: undefined as unknown as Running, proxy: `127.0.0.1:${port}`, backend, agent, status, start };
  try {
    await start();
    await run(up);
  } finally {
    const pid = await status().then(
      ({ engine }) => engine.pid,
      () => undefined,
    );
    if (up.running.child.exitCode === null && up.running.child.signalCode === null) up.running.child.kill('SIGKILL');
    if (pid !== undefined && processIdentity(pid) !== undefined) process.kill(pid, 'SIGKILL');
    await backend.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** On Ctrl-C the request in flight is answered, then the agent and its data plane end. */
export async function endsAfterTheLastRequest({ backend, proxy, running, status }: Up): Promise<void> {
  const client = createClient(proxy);
  const { pid } = (await status()).engine;
  let release = (): void => undefined;
  backend.handler = (request, response) => {
    request.resume();
    release = () => response.end('late');
  };
  const slow = client.get('http://shop/a');
  await until('the request is with the backend', () => backend.requests === 1);
  running.child.kill('SIGINT');
  await until('it says that it waits', () => /Ctrl-C/.test(running.out()));
  release();
  assert.is((await slow).body, 'late');
  assert.is(await running.ended, 0);
  assert.is(processIdentity(pid as number), undefined);
  client.close();
}
