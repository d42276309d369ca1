// test: exclusive
/** `route shift` against a running mesh, on both engines: a good version gets all the traffic, a bad one is taken back. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { agentClient } from '../../agent/client.ts';
import type { AgentStatus } from '../../agent/status.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { fairlead, type Ran, startFairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { service, testPort, workload } from '../support/mesh.ts';

const envoy = realEnvoy();
const routing = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec:
  host: shop
  subsets:
  - { name: v1, labels: { version: v1 } }
  - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - name: all # every request
    route:
    - destination: { host: shop, subset: v1 }
`;

interface Shop {
  file: string;
  v2: Backend;
  shift(...args: string[]): Promise<Ran>;
  /** Shares of the last answers by version. */
  seen(): Record<string, number>;
}

/** A mesh of two versions under steady traffic. */
async function withShop(engine: 'embedded' | 'envoy', run: (shop: Shop) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const mesh = join(root, 'mesh');
  mkdirSync(mesh);
  const [v1, v2] = await Promise.all([startBackend('v1'), startBackend('v2')]);
  const port = testPort();
  const file = join(mesh, 'routing.yaml');
  writeFileSync(file, routing);
  writeFileSync(
    join(mesh, 'services.yaml'),
    [
      service('shop'),
      workload('shop-v1', { app: 'shop', version: 'v1' }, v1.port, { 'fairlead.dev/http-proxy-port': String(testPort()) }),
      workload('shop-v2', { app: 'shop', version: 'v2' }, v2.port, { 'fairlead.dev/http-proxy-port': String(testPort()) }),
      workload('web', { app: 'web' }, 1, { 'fairlead.dev/http-proxy-port': String(port) }),
    ].join(''),
  );
  const data = join(root, 'data');
  const env: Record<string, string> = { FAIRLEAD_ENGINE: engine, XDG_STATE_HOME: join(root, 'state') };
  if (engine === 'envoy' && 'path' in envoy) env['ENVOY_PATH'] = envoy.path;
  const up = startFairlead(['up', mesh, '--data', data, '--api-port', '0', '--quiet'], env);
  const address = `unix:${join(data, 'agent.sock')}`;
  const status = (): Promise<AgentStatus | undefined> =>
    agentClient(address)
      .getJson<AgentStatus>('/fairlead/v1/status')
      .catch(() => undefined);
  let stopped = false;
  void up.ended.then((code) => {
    if (!stopped) process.stderr.write(`up ended with ${code}: ${up.err()}\n`);
  });
  const client = createClient(`127.0.0.1:${port}`);
  const last: string[] = [];
  const traffic = async (): Promise<void> => {
    while (!stopped) {
      const answer = await client.get('http://shop/').catch(() => undefined);
      last.push(String(answer?.headers['x-instance'] ?? `${answer?.status}`));
      if (last.length > 300) last.shift();
      await new Promise((r) => setTimeout(r, 4));
    }
  };
  try {
    await until(
      'the mesh runs',
      async () => (await status())?.proxies.every((p) => p.sync === 'SYNCED') === true && ((await status())?.proxies.length ?? 0) > 0,
      60_000,
    );
    const running = traffic();
    await run({
      file,
      v2,
      shift: (...args) => fairlead(['route', 'shift', 'shop', '--to', 'v2', '-f', mesh, '--agent', address, ...args], { env }),
      seen: () => Object.fromEntries([...new Set(last)].map((name) => [name, last.filter((n) => n === name).length / last.length])),
    });
    stopped = true;
    await running;
  } finally {
    stopped = true;
    client.close();
    up.child.kill('SIGTERM');
    await up.ended;
    await Promise.all([v1.close(), v2.close()]);
    rmSync(root, { recursive: true, force: true });
  }
}

const steps = ['--steps', '20,50,100', '--every', '700ms', '--gate', 'errors<2%', '--gate', 'p99<5s', '--min-requests', '15'];

for (const engine of ['embedded', 'envoy'] as const) {
  const check = (name: string, run: () => Promise<void>): void => {
    if (engine === 'envoy' && !('path' in envoy)) test.skip(`${name} (${engine}; no Envoy: ${envoy.missing})`, () => undefined);
    else test(`${name} (${engine})`, run);
  };

  check('a healthy version gets all the traffic, step by step', () =>
    withShop(engine, async ({ file, shift, seen }) => {
      const ran = await shift(...steps);
      assert.is(ran.code, 0, ran.err + ran.out);
      assert.match(ran.err, /^20 % {3}applied on \d+ prox/m);
      assert.match(ran.err, /^100 % {2}\d+ requests, errors 0 %, p99 \d+ ms: passed$/m);
      assert.match(ran.out, /v1 100% -> v1 0%, v2 100%/);
      assert.match(
        readFileSync(file, 'utf8'),
        /- name: all # every request\n {4}route:\n {4}- destination: \{ host: shop, subset: v1 \}\n {6}weight: 0\n/,
      );
      await until('v2 has all', async () => (seen()['v2'] ?? 0) === 1, 10_000);
    }),
  );

  check('a version that fails 5 % of its calls is taken back at once, and the file is as it was', () =>
    withShop(engine, async ({ file, v2, shift, seen }) => {
      const healthy = v2.handler;
      v2.handler = (request, response) => {
        if (v2.requests % 20 === 0) response.writeHead(500).end();
        else healthy.call(v2, request, response);
      };
      const ran = await shift(...steps);
      assert.is(ran.code, 1, ran.err + ran.out);
      assert.match(ran.err, /errors<2% does not hold: [\d.]+ % of \d+ requests/);
      assert.match(ran.out, /went back to v1 100% from \d+ %: errors<2% does not hold/);
      assert.is(readFileSync(file, 'utf8'), routing);
      await until('v1 has all', async () => (seen()['v1'] ?? 0) === 1, 10_000);
    }),
  );
}

test('Ctrl-C takes everything back and exits with 1', () =>
  withShop('embedded', async ({ file }) => {
    const mesh = join(file, '..');
    const state = join(mesh, '../state');
    const address = `unix:${join(mesh, '../data/agent.sock')}`;
    const running = startFairlead(
      ['route', 'shift', 'shop', '--to', 'v2', '--steps', '30,100', '--every', '30s', '-f', mesh, '--agent', address],
      { XDG_STATE_HOME: state },
    );
    await until('the first step', async () => running.err().includes('applied'), 20_000);
    assert.match(readFileSync(file, 'utf8'), /weight: 70[\s\S]*weight: 30/);
    running.child.kill('SIGINT');
    assert.is(await running.ended, 1);
    assert.match(running.out(), /went back to v1 100% from 30 %: it was stopped/);
    assert.is(readFileSync(file, 'utf8'), routing);
  }));

test('after a crash the same command goes on; weights add up all the time', () =>
  withShop('embedded', async ({ file, shift }) => {
    const mesh = join(file, '..');
    const address = `unix:${join(mesh, '../data/agent.sock')}`;
    const running = startFairlead(
      ['route', 'shift', 'shop', '--to', 'v2', '--steps', '30,60,100', '--every', '30s', '-f', mesh, '--agent', address],
      {
        XDG_STATE_HOME: join(mesh, '../state'),
      },
    );
    await until('the first step', async () => running.err().includes('applied'), 20_000);
    running.child.kill('SIGKILL');
    await running.ended;
    const weights = [...readFileSync(file, 'utf8').matchAll(/weight: (\d+)/g)].map((m) => Number(m[1]));
    assert.is(
      weights.reduce((a, b) => a + b, 0),
      100,
    );
    const ran = await shift('--steps', '30,60,100', '--every', '300ms');
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.err, /going on with the shift of .*, which ended at 30 %/);
    assert.match(ran.out, /v1 100% -> v1 0%, v2 100%/);
  }));

test('what somebody else changes meanwhile is left alone', () =>
  withShop('embedded', async ({ file, shift }) => {
    const done = shift('--steps', '30,100', '--every', '1s');
    await until('the first step', async () => readFileSync(file, 'utf8').includes('weight: 30'), 20_000);
    const theirs = readFileSync(file, 'utf8').replace('weight: 70', 'weight: 65').replace('weight: 30', 'weight: 35');
    writeFileSync(file, theirs);
    const ran = await done;
    assert.is(ran.code, 3, ran.out);
    assert.match(ran.err, /changed by somebody else: it is v1 65%, v2 35% now/);
    assert.is(readFileSync(file, 'utf8'), theirs);
  }));

test.run();
