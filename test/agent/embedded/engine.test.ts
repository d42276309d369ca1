/** The embedded engine with its real process: kills, takeovers, refusals, stops at awkward moments. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEmbeddedEngine } from '../../../agent/embedded/engine.ts';
import type { Engine, EngineStatus } from '../../../agent/engine.ts';
import { silentLog } from '../../../agent/log.ts';
import { processIdentity } from '../../../agent/process-identity.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { FairleadError, Problem } from '../../../src/errors.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { createClient, until } from '../../support/http.ts';
import { service, testPort, workload } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';

interface Bench {
  folder: string;
  make(pulseMs?: number): Engine;
  backend: Backend;
  port: number;
  snapshot(extra?: string): Promise<Snapshot>;
  /** The status of a request through the proxy; 0 when there is no answer. */
  ask(): Promise<number>;
}

const withEngine = (run: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder) => {
    const backend = await startBackend('a');
    const port = testPort();
    const engines: Engine[] = [];
    try {
      await run({
        folder,
        backend,
        port,
        make(pulseMs) {
          const engine = createEmbeddedEngine({
            socket: join(folder, 'proxy.sock'),
            logFile: join(folder, 'proxy.log'),
            version: 'test',
            orphanSeconds: 20,
            log: silentLog,
            ...(pulseMs === undefined ? {} : { pulseMs }),
            describe: () => undefined,
          });
          engines.push(engine);
          return engine;
        },
        async snapshot(extra = '') {
          const text = `${service('a')}${workload('a', { app: 'a' }, backend.port, { 'fairlead.dev/http-proxy-port': String(port) })}${extra}`;
          const { resources } = await parseConfig(text, 'a.yaml');
          const mesh = buildMesh(resources);
          const [node] = proxiesOf(mesh, { addresses: [], pods: 'none' });
          return buildSnapshot(mesh, node!);
        },
        async ask() {
          const client = createClient(`127.0.0.1:${port}`);
          const { status } = await client.get('http://a/').catch(() => ({ status: 0 }));
          client.close();
          return status;
        },
      });
    } finally {
      // The last one holds the process.
      for (const engine of engines.reverse()) await engine.stop();
      await backend.close();
    }
  });

async function applied(engine: Engine, snapshot: Snapshot): Promise<void> {
  const result = await engine.apply(snapshot);
  assert.ok(result.applied, JSON.stringify(result));
}

const alive = (pid: number | undefined): boolean => pid !== undefined && processIdentity(pid) !== undefined;

test(
  'an event loop that hangs: the process is killed, a new one serves, and the reason is told',
  withEngine(async ({ make, snapshot, ask }) => {
    const engine = make(200);
    await engine.start();
    await engine.apply(await snapshot());
    assert.is(await ask(), 200);
    const { pid } = engine.status();
    process.kill(pid as number, 'SIGSTOP');
    await until('the new process', () => engine.status().state === 'running' && engine.status().pid !== pid);
    assert.is(await ask(), 200);
    assert.is(engine.status().lastExit, 'it did not answer for 1 s and was killed');
    assert.is(processIdentity(pid as number), undefined);
  }),
);

test(
  'kill -9: a new process with the old config; the reason is told',
  withEngine(async ({ make, snapshot, ask }) => {
    const engine = make();
    await engine.start();
    assert.is((await engine.apply(await snapshot())).applied, true);
    assert.is(await ask(), 200);
    const { pid } = engine.status();
    const seen: EngineStatus['state'][] = [];
    engine.onStatus((s) => seen.push(s.state));
    process.kill(pid as number, 'SIGKILL');
    await until('it is back', () => engine.status().state === 'running' && engine.status().pid !== pid);
    assert.is(await ask(), 200);
    assert.equal(seen, ['backing-off', 'running']);
    assert.is(engine.status().lastExit, 'killed by SIGKILL');
    assert.is(engine.status().restarts, 1);
  }),
);

test(
  'a config that comes while the process is away is applied when it is back',
  withEngine(async ({ make, snapshot, ask }) => {
    const engine = make();
    await engine.start();
    process.kill(engine.status().pid as number, 'SIGKILL');
    const result = await engine.apply(await snapshot());
    assert.is(result.applied, true);
    assert.is(await ask(), 200);
  }),
);

test(
  'what ran before and is not taken any more is told: its port was taken meanwhile',
  withEngine(async ({ make, snapshot, port }) => {
    const engine = make();
    await engine.start();
    const first = await snapshot();
    await engine.apply(first);
    const refused: [string, readonly Problem[]][] = [];
    engine.onRefused((id, problems) => refused.push([id, problems]));
    const { pid } = engine.status();
    process.kill(pid as number, 'SIGKILL');
    const thief = createTcpServer();
    try {
      // The port is free for a moment only.
      await until(
        'the port is taken',
        () => new Promise((r) => thief.once('error', () => r(false)).listen(port, '127.0.0.1', () => r(true))),
      );
      await until('it is told', () => refused.length === 1);
      assert.is(refused[0]?.[0], first.proxy.id);
      assert.is(refused[0]?.[1][0]?.rule, 'listener/port-in-use');
      const again = await engine.apply(first);
      assert.is(again.applied, false);
    } finally {
      await new Promise((r) => thief.close(r));
    }
    assert.is((await engine.apply(first)).applied, true);
  }),
);

test(
  'the next engine takes the process over, without a dropped connection, and knows what it runs',
  withEngine(async ({ make, snapshot, port }) => {
    const first = make();
    await first.start();
    const config = await snapshot();
    await first.apply(config);
    const { pid } = first.status();
    const client = createClient(`127.0.0.1:${port}`, 1);
    try {
      assert.is((await client.get('http://a/')).status, 200);
      await first.detach();
      assert.is((await client.get('http://a/')).status, 200);
      const second = make();
      await second.start();
      assert.is(second.status().pid, pid);
      assert.is(second.status().adopted, true);
      assert.equal(second.leftovers(), [config.proxy.id]);
      await second.apply(config);
      assert.equal(second.leftovers(), []);
      assert.is((await client.get('http://a/')).status, 200);
      // Not a child of this engine: its end is noticed all the same.
      process.kill(pid as number, 'SIGKILL');
      await until('it is back', () => second.status().state === 'running' && second.status().pid !== pid);
      assert.is(second.status().adopted, false);
    } finally {
      client.close();
    }
  }),
);

test(
  'a process that speaks another protocol is not adopted: it ends, and another one starts',
  withEngine(async ({ make, folder, snapshot, ask }) => {
    const stranger = spawn(process.execPath, ['-e', STRANGER, join(folder, 'proxy.sock')], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((r) => stranger.stdout.once('data', r));
    const engine = make();
    await engine.start();
    assert.is(engine.status().adopted, false);
    assert.not.ok(alive(stranger.pid));
    await applied(engine, await snapshot());
    assert.is(await ask(), 200);
  }),
);

/** Says hello in protocol 0, and ends when asked to. */
const STRANGER = `
  const hello = JSON.stringify({ engine: 'embedded', protocol: 0, version: 'old', pid: process.pid, startedAt: 0, proxies: [] });
  require('node:http').createServer((request, response) => {
    response.end(hello);
    if (request.url === '/fairlead/v1/stop') setImmediate(() => process.exit(0));
  }).listen(process.argv[1], () => console.log('up'));`;

test(
  'a refused config changes nothing',
  withEngine(async ({ make, snapshot, ask }) => {
    const engine = make();
    await engine.start();
    const good = await snapshot();
    await engine.apply(good);
    const bad = structuredClone({ ...good, proxy: undefined }) as unknown as Snapshot;
    const broken: Snapshot = { ...bad, proxy: good.proxy, version: 'bad', clusters: [{ name: 'x', type: 'NOT_A_TYPE' as never }] };
    const result = await engine.apply(broken);
    assert.is(result.applied, false);
    assert.ok(!result.applied && result.problems.length > 0);
    assert.is(await ask(), 200);
  }),
);

test(
  'records come for whoever listens, also from the process after the next',
  withEngine(async ({ make, snapshot, ask }) => {
    const engine = make();
    await engine.start();
    await applied(engine, await snapshot());
    let records = 0;
    const end = engine.onRecord(() => records++);
    await until('a record', async () => (await ask()) === 200 && records > 0);
    const { pid } = engine.status();
    process.kill(pid as number, 'SIGKILL');
    await until('it is back', () => engine.status().state === 'running' && engine.status().pid !== pid);
    records = 0;
    await until('a record of the new one', async () => (await ask()) === 200 && records > 0);
    end();
  }),
);

test(
  'stop: the process is gone, its port is free; again, and before the start is over',
  withEngine(async ({ make, snapshot, ask, port }) => {
    const engine = make();
    await engine.start();
    await applied(engine, await snapshot());
    assert.is(await ask(), 200);
    const { pid } = engine.status();
    await Promise.all([engine.stop(), engine.stop()]);
    assert.not.ok(alive(pid));
    assert.is(engine.status().state, 'stopped');
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    await new Promise((r) => server.close(r));

    const early = make();
    const starting = early.start().catch((error: FairleadError) => error.code);
    await early.stop();
    assert.is(await starting, 'E_ENGINE_FAILED');
    assert.is(early.status().state, 'stopped');
    try {
      await early.apply(await snapshot());
      assert.unreachable();
    } catch (error) {
      assert.is((error as FairleadError).code, 'E_ENGINE_FAILED');
    }
  }),
);

test(
  'stop cuts a drain short',
  withEngine(async ({ make, snapshot, backend, ask }) => {
    const engine = make();
    await engine.start();
    await applied(engine, await snapshot());
    backend.handler = (request) => void request.resume();
    const answer = ask();
    await until('the request is with the backend', () => backend.requests === 1);
    const draining = engine.drain(60_000);
    await until('it drains', () => engine.status().state === 'draining');
    await engine.stop();
    await draining;
    await answer;
    assert.is(engine.status().state, 'stopped');
  }),
);

test.run();
