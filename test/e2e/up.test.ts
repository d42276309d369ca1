/** `fairlead up` as a process: traffic, reloads, broken files, kills. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { agentClient } from '../../agent/client.ts';
import { bin, fairlead, startFairlead } from '../support/cli.ts';
import { createClient, until } from '../support/http.ts';
import { service, testPort, workload } from '../support/mesh.ts';
import { endsAfterTheLastRequest, shopRoute, withUp } from '../support/up.ts';

/** Has a process make the file LISTENS once its own code listens to SIGTERM, the last of those that it keeps: Node itself comes before that. */
const tellsThatItListens = `import { writeFileSync } from 'node:fs';
process.on('newListener', (name) => name === 'SIGTERM' && setImmediate(() => writeFileSync(process.env.LISTENS, '')));`;

test('a request is one line; a saved change applies; a broken file is reported with its line and traffic goes on', () =>
  withUp(async (up) => {
    const client = createClient(up.proxy);
    try {
      assert.is((await client.get('http://shop/a')).status, 200);
      await until('the request is shown', () => /GET .*200.*shop\/a/.test(up.running.out()));
      assert.is((await client.get('http://shop/b')).status, 404);

      writeFileSync(join(up.mesh, 'routes.yaml'), shopRoute('/b'));
      await until('the new route is there', async () => (await client.get('http://shop/b')).status === 200);

      writeFileSync(join(up.mesh, 'routes.yaml'), shopRoute('/c').replace('hosts:', 'hots:'));
      await until('the error is shown', () => /routes\.yaml:5/.test(up.running.err()));
      await until('the refusal is shown', () => /last good configuration runs on/.test(up.running.out()));
      assert.is((await client.get('http://shop/b')).status, 200);
      assert.is((await up.status()).config.state, 'refused');

      writeFileSync(join(up.mesh, 'routes.yaml'), shopRoute('/d'));
      await until('it recovers', async () => (await client.get('http://shop/d')).status === 200);
    } finally {
      client.close();
    }
  }));

test('Ctrl-C lets a request in flight finish, then ends with everything', () =>
  withUp(async (up) => {
    await endsAfterTheLastRequest(up);
    assert.match(up.running.out(), /Ctrl-C: [^\n]*\n$/, 'nothing is shown after it');
  }));

test('Ctrl-C while it starts is its end as well: exit 0, nothing said, nothing left', async () => {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  mkdirSync(join(root, 'mesh'));
  writeFileSync(
    join(root, 'mesh', 'shop.yaml'),
    `${service('shop')}${workload('shop', { app: 'shop' }, 9, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`,
  );
  for (const [args, after] of [
    [['up', join(root, 'mesh')], 1],
    [['up', join(root, 'mesh')], 120],
    [['up', join(root, 'mesh')], 180],
    [['up', join(root, 'mesh')], 250],
    [['agent', 'run', '-f', join(root, 'mesh'), '--log-level', 'warning', '--metrics-port', '0'], 100],
    [['agent', 'run', '-f', join(root, 'mesh'), '--log-level', 'warning', '--metrics-port', '0'], 200],
  ] as const) {
    const data = join(root, `data-${args[0]}-${after}`);
    const listens = `${data}.listens`;
    const running = startFairlead([...args, '--data', data, '--api-port', '0'], {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tellsThatItListens)}`,
      LISTENS: listens,
    });
    await until('its code runs', () => existsSync(listens));
    await new Promise((r) => setTimeout(r, after));
    running.child.kill('SIGINT');
    assert.is(await running.ended, 0, `${args[0]} after ${after} ms: ${running.err()}`);
    assert.is(running.err(), '');
    assert.is(spawnSync('pgrep', ['-f', data], { encoding: 'utf8' }).stdout, '');
  }
  rmSync(root, { recursive: true });
});

test('`up | head -1` ends when its reader has left, without another line', () =>
  withUp(async ({ mesh, root, running }) => {
    running.child.kill('SIGTERM');
    assert.is(await running.ended, 0);
    const line = `"${process.execPath}" "${bin}" up "${mesh}" --data "${join(root, 'other')}" --api-port 0; echo "code $?" >&2`;
    const { stdout, stderr } = spawnSync('sh', ['-c', `(${line}) | head -1`], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, FAIRLEAD_ENGINE: 'embedded' },
    });
    assert.match(stdout, /^fairlead [^\n]*\n$/);
    assert.is(stderr, 'code 0\n');
  }));

test('kill -9 of the proxy: back at once, with its config', () =>
  withUp(async (up) => {
    const client = createClient(up.proxy);
    try {
      assert.is((await client.get('http://shop/a')).status, 200);
      const before = (await up.status()).engine;
      process.kill(before.pid as number, 'SIGKILL');
      await until('a new proxy serves', async () => (await client.get('http://shop/a').catch(() => ({ status: 0 }))).status === 200);
      const after = (await up.status()).engine;
      assert.is.not(after.pid, before.pid);
      assert.is(after.restarts, 1);
      assert.match(String(after.lastExit), /SIGKILL/);
      await until('it is told', () => /serves again/.test(up.running.out()));
      assert.is(up.running.err(), 'error: the embedded proxy ended: killed by SIGKILL; it starts again at once\n');
      assert.not.match(up.running.out(), /SIGKILL|proxy ended/);
    } finally {
      client.close();
    }
  }));

test('kill -9 of the agent: the proxy serves on, and the next agent takes it over without dropping a connection', () =>
  withUp(async (up) => {
    // One socket, kept alive over all of it: a dropped connection would be an error here.
    const client = createClient(up.proxy, 1);
    let failures = 0;
    let requests = 0;
    let stop = false;
    const load = (async () => {
      while (!stop) {
        requests++;
        const { status } = await client.get('http://shop/a').catch(() => ({ status: 0 }));
        if (status !== 200) failures++;
        await new Promise((r) => setTimeout(r, 2));
      }
    })();
    try {
      const before = (await up.status()).engine;
      up.running.child.kill('SIGKILL');
      await up.running.ended;
      const then = requests;
      await until('it serves without an agent', () => requests > then + 50);
      await up.start();
      const after = (await up.status()).engine;
      assert.is(after.pid, before.pid);
      assert.is(after.adopted, true);
      writeFileSync(
        join(up.mesh, 'routes.yaml'),
        `${shopRoute('/a')}---\n${shopRoute('/x').replace('name: shop', 'name: other').replace('hosts: [shop]', 'hosts: [other.example.com]')}`,
      );
      const other = createClient(up.proxy);
      await until('the new agent’s changes arrive', async () => (await other.get('http://other.example.com/x')).status === 200);
      other.close();
    } finally {
      stop = true;
      await load;
      client.close();
    }
    assert.is(failures, 0, `${failures} of ${requests} failed`);
  }));

test('offline and live proxy-config print the same tables, and a saved dump reads back', () =>
  withUp(async (up) => {
    const agent = ['--agent', `unix:${join(up.data, 'agent.sock')}`];
    for (const type of ['listener', 'route', 'cluster']) {
      const offline = await fairlead(['proxy-config', type, '-f', up.mesh, '--proxy', 'shop']);
      const live = await fairlead(['proxy-config', type, '--proxy', 'shop', ...agent]);
      assert.is(offline.code, 0, offline.err);
      assert.is(live.out, offline.out, type);
    }
    const dump = await agentClient(`unix:${join(up.data, 'agent.sock')}`).get('/proxies/shop.default/config_dump?include_eds');
    const file = join(up.root, 'dump.json');
    writeFileSync(file, dump.body);
    const live = await fairlead(['proxy-config', 'route', '--proxy', 'shop', ...agent]);
    const saved = await fairlead(['proxy-config', 'route', '--file', file]);
    assert.is(saved.out, live.out);
    const status = await fairlead(['proxy-status', ...agent]);
    assert.match(status.out, /shop\.default .*SYNCED/);
  }));

test('a second agent on the same data directory is refused with the first one’s process', () =>
  withUp(async (up) => {
    const second = await fairlead(['up', up.mesh, '--data', up.data, '--api-port', '0']);
    assert.is(second.code, 3);
    assert.match(second.err, new RegExp(`process ${up.running.child.pid}`));
  }));

test('`agent stop` ends it', () =>
  withUp(async (up) => {
    const ran = await fairlead(['agent', 'stop', '--agent', `unix:${join(up.data, 'agent.sock')}`, '--deadline', '1s']);
    assert.is(ran.code, 0, ran.err);
    assert.is(await up.running.ended, 0);
  }));

test.run();
