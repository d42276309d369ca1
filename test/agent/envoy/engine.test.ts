/** The real Envoy as an engine: kills, takeovers, hot restarts under load, refusals, drains, stops at awkward moments. */
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine, EngineStatus } from '../../../agent/engine.ts';
import { type EnvoyBinary, findEnvoy } from '../../../agent/envoy/find.ts';
import { processIdentity } from '../../../agent/process-identity.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { FairleadError, Problem } from '../../../src/errors.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { createClient, until } from '../../support/http.ts';
import { type EnvoyBench, withEnvoyEngine } from './bench.ts';

const envoy = realEnvoy();
const alive = (pid: number | undefined): boolean => pid !== undefined && processIdentity(pid) !== undefined;

function withEngine(name: string, run: (bench: EnvoyBench) => Promise<void>): void {
  if ('path' in envoy) test(name, withEnvoyEngine(envoy.path, run));
  else test.skip(`${name} (no Envoy: ${envoy.missing})`, () => undefined);
}

async function applied(engine: Engine, snapshot: Snapshot): Promise<void> {
  const result = await engine.apply(snapshot);
  assert.ok(result.applied, JSON.stringify(result));
}

/** Requests one after the other on four connections until it is ended; resolves to what went wrong. */
function load(port: number): () => Promise<{ requests: number; failures: string[] }> {
  const client = createClient(`127.0.0.1:${port}`, 4);
  const failures: string[] = [];
  let requests = 0;
  let over = false;
  const loops = Array.from({ length: 4 }, async () => {
    while (!over) {
      requests++;
      await client.get('http://a/').then(
        ({ status }) => status === 200 || failures.push(String(status)),
        (error: Error) => failures.push(error.message),
      );
      await new Promise((r) => setTimeout(r, 5));
    }
  });
  return async () => {
    over = true;
    await Promise.all(loops);
    client.close();
    return { requests, failures };
  };
}

withEngine('serves, tells its records and its admin API; a change applies', async ({ make, snapshot, ask, backend }) => {
  const engine = await make();
  const records: string[] = [];
  engine.onRecord((r) => records.push(`${r.proxy} ${r.status}`));
  const first = await snapshot();
  await applied(engine, first);
  assert.is(await ask(), 200);
  await until('its record', () => records.includes('a.default 200'));
  assert.is(backend.requests, 1);
  const { id } = first.proxy;
  const info = await engine.admin(id, 'GET', '/server_info');
  assert.is(JSON.parse(info.body.toString('utf8')).node.id, id);
  assert.is((await engine.admin(id, 'GET', '/ready')).body.toString('utf8'), 'LIVE\n');
  const { state, processes, restarts } = engine.status();
  assert.is(state, 'running');
  assert.is(restarts, 0);
  assert.is(processes.length, 1);
  assert.is(processes[0]?.proxy, 'a.default');
  assert.ok(alive(processes[0]?.pid));
  assert.equal(
    engine.sync(id)?.map((t) => `${t.type} ${t.state}`),
    ['CDS SYNCED', 'LDS SYNCED', 'EDS SYNCED', 'RDS SYNCED', 'SDS SYNCED'],
  );
  await applied(engine, await snapshot(fault(418)));
  assert.is(await ask(), 418);
});

const fault = (status: number): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a]
  http: [{ fault: { abort: { httpStatus: ${status}, percentage: { value: 100 } } }, route: [{ destination: { host: a } }] }]
`;

withEngine('kill -9: a new process with the old config; the reason is told', async ({ make, snapshot, ask }) => {
  const engine = await make();
  await applied(engine, await snapshot());
  const { pid } = engine.status();
  const seen: EngineStatus['state'][] = [];
  engine.onStatus((s) => seen.push(s.state));
  process.kill(pid as number, 'SIGKILL');
  await until('it is back', () => engine.status().state === 'running' && engine.status().pid !== pid);
  assert.is(await ask(), 200);
  assert.equal(seen, ['backing-off', 'running']);
  assert.is(engine.status().lastExit, 'killed by SIGKILL');
  assert.is(engine.status().restarts, 1);
});

withEngine('a config that comes while the process is away is applied when it is back', async ({ make, snapshot, ask }) => {
  const engine = await make();
  await applied(engine, await snapshot());
  process.kill(engine.status().pid as number, 'SIGKILL');
  await applied(engine, await snapshot(fault(418)));
  assert.is(await ask(), 418);
});

withEngine(
  'a port that another process has: refused without Envoy sharing it; taken once it is free',
  async ({ make, snapshot, ask, port }) => {
    const engine = await make();
    const thief = createServer();
    await new Promise<void>((resolve) => thief.listen(port, '127.0.0.1', resolve));
    const config = await snapshot();
    const result = await engine.apply(config);
    assert.is(!result.applied && result.problems[0]?.rule, 'listener/port-in-use');
    await new Promise((r) => thief.close(r));
    await applied(engine, config);
    assert.is(await ask(), 200);
    assert.is(result.applied, false);
  },
);

withEngine('what ran before and is not taken any more is told: its port was taken meanwhile', async ({ make, snapshot, ask, port }) => {
  const engine = await make();
  const config = await snapshot();
  await applied(engine, config);
  const refused: [string, readonly Problem[]][] = [];
  engine.onRefused((id, problems) => refused.push([id, problems]));
  const { pid } = engine.status();
  const thief = createServer();
  process.kill(pid as number, 'SIGKILL');
  try {
    await until(
      'the port is taken',
      () => new Promise((r) => thief.once('error', () => r(false)).listen(port, '127.0.0.1', () => r(true))),
    );
    await until('it is told', () => refused.length === 1);
    assert.is(refused[0]?.[0], config.proxy.id);
    assert.is(refused[0]?.[1][0]?.rule, 'listener/port-in-use');
  } finally {
    await new Promise((r) => thief.close(r));
  }
  // Envoy may have been faster, and lets go of what it bound a moment later.
  await until('it is taken again', async () => (await engine.apply(config)).applied);
  assert.is(await ask(), 200);
});

withEngine('a refused config changes nothing, says why, and shows by type; a good one is taken again', async ({ make, snapshot, ask }) => {
  const engine = await make();
  const good = await snapshot();
  await applied(engine, good);
  const bad: Snapshot = {
    ...(await snapshot(fault(418))),
    version: 'bad',
    clusters: [...good.clusters, { name: 'x', type: 'STATIC', connectTimeout: '1s', lbPolicy: 'CLUSTER_PROVIDED' }],
  };
  const result = await engine.apply(bad);
  assert.ok(!result.applied);
  assert.is(result.problems[0]?.origin, 'cluster x');
  assert.match(result.problems[0]?.message ?? '', /cluster x: .*LB/);
  assert.is(await ask(), 200, 'the routes of the refused config are not there either');
  const cds = engine.sync(good.proxy.id)?.find((t) => t.type === 'CDS');
  assert.is(cds?.state, 'NACK');
  assert.match(cds?.reason ?? '', /cluster x/);
  assert.equal((await engine.apply(bad)).applied, false);
  await applied(engine, await snapshot(fault(418)));
  assert.is(await ask(), 418);
  assert.is(engine.sync(good.proxy.id)?.find((t) => t.type === 'CDS')?.state, 'SYNCED');
});

withEngine('the next engine takes the process over without a failed request, and its changes apply', async (bench) => {
  const { make, snapshot, port, folder } = bench;
  const first = await make();
  const config = await snapshot();
  await applied(first, config);
  const { pid } = first.status();
  const end = load(port);
  await first.detach();
  writeFileSync(join(folder, 'agent.pid'), '');
  const second = await make();
  assert.is(second.status().pid, pid);
  assert.is(second.status().adopted, true);
  assert.equal(second.leftovers(), [config.proxy.id]);
  await applied(second, config);
  assert.equal(second.leftovers(), []);
  const { requests, failures } = await end();
  assert.ok(requests > 10);
  assert.equal(failures, []);
  await applied(second, await snapshot(fault(418)));
  assert.is(await bench.ask(), 418);
  // Not a child of this engine: its end is noticed all the same.
  process.kill(pid as number, 'SIGKILL');
  await until('it is back', () => second.status().state === 'running' && second.status().pid !== pid);
  assert.is(second.status().lastExit, 'killed by SIGKILL');
});

withEngine('another bootstrap is a hot restart: no failed request, and the old process goes', async (bench) => {
  const { make, snapshot, port } = bench;
  const engine = await make();
  const config = await snapshot();
  await applied(engine, config);
  const { pid } = engine.status();
  const end = load(port);
  bench.meshId = 'another';
  await engine.refresh();
  const next = engine.status().pid;
  assert.is.not(next, pid);
  const info = JSON.parse((await engine.admin(config.proxy.id, 'GET', '/server_info')).body.toString('utf8'));
  assert.is(info.node.metadata.MESH_ID, 'another');
  assert.is(info.command_line_options.restart_epoch, 1);
  await until('the old process is gone', () => !alive(pid), 30_000);
  const { requests, failures } = await end();
  assert.ok(requests > 100, String(requests));
  assert.equal(failures, []);
  assert.is(engine.status().restarts, 0);
  assert.ok(alive(next));
  await applied(engine, await snapshot(fault(418)));
  assert.is(await bench.ask(), 418);
});

withEngine('another binary is a hot restart as well', async (bench) => {
  const { make, snapshot, port, folder } = bench;
  const path = join(folder, 'own-envoy');
  copyFileSync((envoy as { path: string }).path, path);
  process.env['ENVOY_PATH'] = path;
  try {
    const engine = await make((await findEnvoy({ ENVOY_PATH: path })) as EnvoyBinary);
    await applied(engine, await snapshot());
    const { pid } = engine.status();
    await engine.refresh();
    assert.is(engine.status().pid, pid, 'nothing has changed yet');
    const end = load(port);
    copyFileSync((envoy as { path: string }).path, `${path}.new`);
    renameSync(`${path}.new`, path);
    await engine.refresh();
    assert.is.not(engine.status().pid, pid);
    await until('the old process is gone', () => !alive(pid), 30_000);
    assert.equal((await end()).failures, []);
  } finally {
    delete process.env['ENVOY_PATH'];
  }
});

withEngine('a bootstrap that Envoy refuses: nothing is started, or the running one serves on', async (bench) => {
  const { make, snapshot, ask, said } = bench;
  const engine = await make();
  const config = await snapshot();
  bench.patch = { statsFlushInterval: '400s' };
  const result = await engine.apply(config);
  assert.ok(!result.applied);
  assert.match(result.problems[0]?.message ?? '', /refuses its bootstrap: .*(?:stats|flush|duration)/i);
  assert.match(result.problems[0]?.hint ?? '', /--mode validate/);
  assert.is(engine.status().pid, undefined);

  bench.patch = {};
  await applied(engine, config);
  const { pid } = engine.status();
  bench.patch = { statsFlushInterval: '400s' };
  await engine.refresh();
  await engine.refresh();
  assert.is(engine.status().pid, pid);
  assert.is(said.filter((l) => /hot restart failed.*refuses its bootstrap/.test(l)).length, 1, 'tried once');
  assert.is(await ask(), 200);
});

withEngine('drain: a request in flight finishes, new connections are refused', async ({ make, snapshot, backend, ask, port }) => {
  const engine = await make();
  await applied(engine, await snapshot());
  let release = (): void => undefined;
  backend.handler = (request, response) => {
    request.resume();
    release = () => response.end('late');
  };
  const slow = ask();
  await until('the request is with the backend', () => backend.requests === 1);
  let drained = false;
  const draining = engine.drain(30_000).then(() => {
    drained = true;
  });
  await until('new connections are refused', () => refused(port));
  assert.is(drained, false);
  release();
  assert.is(await slow, 200);
  await draining;
  assert.is(engine.status().state, 'draining');
});

withEngine(
  'stop: the processes are gone, the port is free; again, and in the middle of a drain',
  async ({ make, snapshot, backend, ask, port, folder }) => {
    const engine = await make();
    await applied(engine, await snapshot());
    const { pid } = engine.status();
    backend.handler = (request) => void request.resume();
    const answer = ask();
    await until('the request is with the backend', () => backend.requests === 1);
    const draining = engine.drain(60_000);
    await until('it drains', () => engine.status().state === 'draining');
    await Promise.all([engine.stop(), engine.stop()]);
    await draining;
    await answer;
    assert.not.ok(alive(pid));
    assert.is(engine.status().state, 'stopped');
    assert.throws(() => readFileSync(join(folder, 'envoy', 'state.json')));
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    await new Promise((r) => server.close(r));
    try {
      await engine.apply(await snapshot());
      assert.unreachable();
    } catch (error) {
      assert.is((error as FairleadError).code, 'E_ENGINE_FAILED');
    }
  },
);

withEngine('a proxy that is removed ends, its port is free; it may come again', async ({ make, snapshot, ask }) => {
  const engine = await make();
  const config = await snapshot();
  await applied(engine, config);
  const { pid } = engine.status();
  await engine.remove(config.proxy.id);
  assert.is(await ask(), 0);
  await applied(engine, config);
  assert.is(await ask(), 200);
  assert.not.ok(alive(pid));
});

/** Whether a port takes no connection. */
function refused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

test.run();
