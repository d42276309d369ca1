// test: exclusive
/** The built command line with the real Envoy: `up` carries traffic, an agent is killed under load, the demo shows what it shows. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { fairlead, startFairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { endsAfterTheLastRequest, shopRoute, withUp } from '../support/up.ts';

const envoy = realEnvoy();
const env: Record<string, string> = 'path' in envoy ? { ENVOY_PATH: envoy.path, FAIRLEAD_ENGINE: 'envoy' } : {};

function withEnvoy(name: string, run: () => Promise<void>): void {
  if ('path' in envoy) test(name, run);
  else test.skip(`${name} (no Envoy: ${envoy.missing})`, () => undefined);
}

withEnvoy('up on the shop’s mesh carries traffic, and says which Envoy it took', async () => {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const backend = await startBackend('catalog');
  const up = startFairlead(['up', 'examples/shop/mesh', '--data', data, '--api-port', '0'], env);
  try {
    await until('it is up', () => up.out().includes('HTTP_PROXY=') || up.child.exitCode !== null, 60_000);
    assert.match(up.out(), /engine envoy 1\.40\.0 \(.*ENVOY_PATH names it\)/);
    const client = createClient('127.0.0.1:15001');
    // Nobody serves there: the answer is Envoy's own.
    const { status, headers } = await client.get('http://catalog/catalog/books');
    assert.is(status, 503);
    assert.is(headers['server'], 'envoy');
    client.close();
    await until('the request is shown', () => /GET .*503.*catalog\/catalog\/books/.test(up.out()));
    const agent = `unix:${join(data, 'agent.sock')}`;
    const listeners = await fairlead(['proxy-config', 'listener', 'web', '--agent', agent]);
    assert.match(listeners.out, /127\.0\.0\.1 +15001 +ALL +Route: http_proxy/);
    const levels = await fairlead(['proxy-config', 'log', 'web', '--level', 'upstream:debug', '--agent', agent]);
    assert.match(levels.out, /upstream: +debug/);
    const shown = await fairlead(['proxy-status', '-v', '--agent', agent]);
    assert.is(shown.code, 0);
    assert.match(shown.out, /web\.default +Kubernetes +SYNCED \(\d+s\) +SYNCED/);
  } finally {
    up.child.kill('SIGTERM');
    assert.is(await up.ended, 0);
    await backend.close();
    assert.equal(
      readdirSync(data).filter((name) => name.endsWith('.sock')),
      [],
    );
    rmSync(data, { recursive: true, force: true });
  }
});

withEnvoy('SIGKILL of the agent under 500 requests a second: none fails; changes flow again soon after its return', () =>
  withUp(
    async (up) => {
      const client = createClient(up.proxy, 8);
      const failures: string[] = [];
      let requests = 0;
      let over = false;
      const pending = new Set<Promise<void>>();
      const load = (async () => {
        for (let next = performance.now(); !over; next += 10) {
          for (let i = 0; i < 5; i++) {
            requests++;
            const one: Promise<void> = client
              .get('http://shop/a')
              .then(
                ({ status }) => void (status === 200 || failures.push(String(status))),
                (error: Error) => void failures.push(error.message),
              )
              .finally(() => pending.delete(one));
            pending.add(one);
          }
          await new Promise((r) => setTimeout(r, Math.max(0, next - performance.now())));
        }
        await Promise.all(pending);
      })();
      const before = (await up.status()).engine;
      const from = requests;
      await until('there is load', () => requests - from > 250);
      up.running.child.kill('SIGKILL');
      await up.running.ended;
      const dead = requests;
      await until('there is load without an agent', () => requests - dead > 250);
      await up.start();
      const after = (await up.status()).engine;
      assert.is(after.pid, before.pid);
      assert.is(after.adopted, true);
      const returned = performance.now();
      const more = '  - match: [{ uri: { prefix: /b } }]\n    route: [{ destination: { host: shop } }]\n';
      writeFileSync(join(up.mesh, 'routes.yaml'), `${shopRoute('/a')}${more}`);
      const other = createClient(up.proxy);
      await until('the change is there', async () => (await other.get('http://shop/b')).status === 200, 10_000);
      console.log(`  change seen ${Math.round(performance.now() - returned)} ms after the agent's return; ${requests} requests`);
      other.close();
      over = true;
      await load;
      client.close();
      assert.equal(failures, []);
    },
    { command: 'agent run', env },
  ),
);

withEnvoy('what Envoy refuses shows in proxy-status with its reason, file and line; the last good config runs on', () =>
  withUp(
    async (up) => {
      const client = createClient(up.proxy);
      assert.is((await client.get('http://shop/a')).status, 200);
      writeFileSync(join(up.mesh, 'routes.yaml'), shopRoute('/b', '\n    headers: { request: { set: { x-a: "%NO_SUCH_THING%" } } }'));
      await until('it is refused', async () => (await up.status()).proxies[0]?.sync === 'ERROR');
      const shown = await fairlead(['proxy-status', '-v', '--agent', up.agent]);
      assert.is(shown.code, 1);
      assert.match(shown.out, /shop\.default +Kubernetes +SYNCED \(\d+s\) +SYNCED \(\d+s\) +SYNCED \(\d+s\) +NACK \(\d+s\)/);
      assert.match(shown.err, /Envoy refuses route http_proxy: .*NO_SUCH_THING/);
      assert.match(shown.err, /routes\.yaml:7:/);
      assert.is((await client.get('http://shop/a')).status, 200);
      writeFileSync(join(up.mesh, 'routes.yaml'), shopRoute('/b'));
      await until('it recovers', async () => (await client.get('http://shop/b')).status === 200);
      assert.is((await up.status()).proxies[0]?.sync, 'SYNCED');
      client.close();
    },
    { env },
  ),
);

withEnvoy('Ctrl-C lets a request in flight finish, then ends with everything', () => withUp(endsAfterTheLastRequest, { env }));

withEnvoy('an orphan: the Envoys of a killed demo end by themselves', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const demo = startFairlead(['demo'], { ...env, TMPDIR: scratch });
  await until('it runs', () => /web calls through/.test(demo.out()) || demo.child.exitCode !== null, 60_000);
  const client = createClient('127.0.0.1:15001');
  demo.child.kill('SIGKILL');
  await demo.ended;
  await until('they are gone', async () => (await client.get('http://catalog/').catch(() => ({ status: 0 }))).status === 0, 20_000);
  client.close();
  rmSync(scratch, { recursive: true, force: true });
});

withEnvoy('the demo shows with Envoy what it shows without', async () => {
  const ran = await fairlead(['demo', '--json', '--engine', 'envoy', '--seconds', '20'], { env });
  const { acts } = JSON.parse(ran.out) as { acts: { happened: boolean }[] };
  assert.equal(
    acts.filter((a) => !a.happened),
    [],
  );
  assert.is(acts.length, 8);
  assert.is(ran.code, 0);
});

withEnvoy('the other engine’s data plane is ended: it holds the ports', () =>
  withUp(
    async (up) => {
      up.running.child.kill('SIGKILL');
      await up.running.ended;
      env['FAIRLEAD_ENGINE'] = 'embedded';
      try {
        await up.start();
        const { engine } = await up.status();
        assert.is(engine.engine, 'embedded');
        const client = createClient(up.proxy);
        assert.is((await client.get('http://shop/a')).status, 200);
        client.close();
      } finally {
        env['FAIRLEAD_ENGINE'] = 'envoy';
      }
    },
    { env },
  ),
);

test.run();
