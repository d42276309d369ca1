/** `fairlead doctor` as people and scripts run it: against real agents, and where there is none. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckResult, DoctorReport } from '../../src/doctor/types.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { fairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { until } from '../support/http.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';

async function withMesh(run: (mesh: TestMesh, backend: Backend) => Promise<void>, options = {}): Promise<void> {
  const backend = await startBackend('shop');
  const mesh = await startMesh(
    {
      'shop.yaml': `${service('shop')}${workload('shop', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`,
    },
    options,
  );
  try {
    await run(mesh, backend);
  } finally {
    await mesh.close();
    await backend.close();
  }
}

const doctor = (mesh: TestMesh, ...args: string[]): ReturnType<typeof fairlead> => fairlead(['doctor', '--data', mesh.data, ...args]);
const report = (out: string): DoctorReport => JSON.parse(out) as DoctorReport;
const of = (out: string, id: string): CheckResult => report(out).checks.find((c) => c.id === id) as CheckResult;
const bad = (out: string): string[] =>
  report(out)
    .checks.filter((c) => c.state === 'failed' || c.state === 'broken')
    .map((c) => c.id);

/** What both engines must show. */
async function tellsHowItIs(mesh: TestMesh, backend: Backend): Promise<void> {
  const well = await doctor(mesh, '-o', 'json', '--skip', 'agent/version');
  assert.is(well.code, 0, well.out);
  assert.is(report(well.out).result, 'ok');
  assert.equal(
    report(well.out).checks.filter((c) => c.state === 'warning'),
    [],
  );
  assert.is(of(well.out, 'agent/version').state, 'skipped');
  assert.is(of(well.out, 'certificates/expiry').state, 'ok');
  assert.match(of(well.out, 'listeners/bound').message, /^\d ports?$/);

  await backend.close();
  const dead = await doctor(mesh, '-o', 'json');
  assert.is(dead.code, 1);
  assert.equal(bad(dead.out), ['upstreams/reachable']);
  assert.match(
    of(dead.out, 'upstreams/reachable').details.join(),
    new RegExp(`127\\.0\\.0\\.1:${backend.port} of shop\\.default.*nobody listens there`),
  );

  mesh.write('shop.yaml', 'apiVersion: v1\nkind: Service\nmetadata: { name: shop }\nspec: { ports: [{ port: seven }] }\n');
  await mesh.agent.controller.sync();
  const refused = await doctor(mesh);
  assert.is(refused.code, 1);
  assert.match(refused.out, /✘ {2}the configuration on disk is accepted: refused with 1 error[\s\S]*shop\.yaml:4:\d+/);
  assert.match(refused.out.replace(/\s+/g, ' '), /not looked at, because config\/accepted failed: config\/applied, listeners\/bound/);
}

test('from a healthy node to a dead endpoint and a refused configuration', () => withMesh(tellsHowItIs));

const envoy = realEnvoy();
if ('path' in envoy)
  test('with the real Envoy as well', async () => {
    process.env['ENVOY_PATH'] = envoy.path;
    await withMesh(tellsHowItIs, { engine: 'envoy' });
  });
else test.skip(`with the real Envoy as well (${envoy.missing})`, () => undefined);

test('files that others can read are a failure with their names', () =>
  withMesh(async (mesh) => {
    writeFileSync(join(mesh.data, 'key.pem'), 'x', { mode: 0o644 });
    chmodSync(join(mesh.data, 'key.pem'), 0o644);
    const { code, out } = await doctor(mesh, '-o', 'json');
    assert.is(code, 1);
    assert.equal(bad(out), ['data/permissions']);
    assert.equal(of(out, 'data/permissions').details, ['key.pem is 0644, not 0600']);
  }));

test('a data plane that was killed is told with what ended it, and how often', () =>
  withMesh(async (mesh) => {
    process.kill(mesh.agent.status().engine.pid as number, 'SIGKILL');
    await until(
      'the data plane is back',
      () =>
        mesh.agent.status().engine.restarts === 1 &&
        mesh.agent.status().engine.state === 'running' &&
        mesh.agent.status().proxies.every((p) => p.sync === 'SYNCED'),
    );
    const { code, out } = await doctor(mesh, '-o', 'json');
    assert.is(code, 0, out);
    assert.is(of(out, 'proxy/running').state, 'warning');
    assert.match(of(out, 'proxy/running').message, /restarted once \(last: .*SIGKILL/);
  }));

test('without an agent everything that needs one is skipped, and JSON stays one document', async () => {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    for (const how of [['-o', 'json'], ['--json']]) {
      const { code, out, err } = await fairlead(['doctor', '--data', data, ...how]);
      assert.is(code, 1, err);
      assert.is(of(out, 'agent/reachable').state, 'failed');
      assert.is(of(out, 'telemetry/metrics').cause, 'agent/reachable');
      assert.match(of(out, 'agent/reachable').next ?? '', /fairlead up/);
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test('something else that listens at the agent’s address is no agent', async () => {
  const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  try {
    const { code, out } = await fairlead(['doctor', '--agent', `http://127.0.0.1:${port}`, '-o', 'json']);
    assert.is(code, 1, out);
    assert.is(of(out, 'agent/reachable').state, 'failed');
    assert.not.match(out, /Unexpected token/);
  } finally {
    other.close();
  }
});

test('before an install: ports that are taken are named', async () => {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    const { code, out } = await fairlead(['doctor', '--pre', '--data', join(data, 'new'), '-o', 'json']);
    assert.is(code, 0, out);
    assert.is(of(out, 'node/version').state, 'ok');
    assert.match(of(out, 'data/directory').message, /new will be made/);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test('--list tells every check; an unknown one cannot be skipped', async () => {
  const { code, out } = await fairlead(['doctor', '--list', '-o', 'json']);
  assert.is(code, 0);
  const list = JSON.parse(out) as { id: string; why: string }[];
  assert.ok(list.length > 12 && list.every((c) => c.why !== ''));
  const wrong = await fairlead(['doctor', '--skip', 'agent/nothing']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /no check "agent\/nothing"[\s\S]*agent\/reachable/);
  assert.is((await fairlead(['doctor', '--agent', 'ftp://x'])).code, 2);
});

test.run();
