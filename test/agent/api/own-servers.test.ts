/** What every server of ours has in common: who may come in, that GET changes nothing, and that nobody holds a connection for ever. */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initCa } from '../../../agent/ca/init.ts';
import { serveCa } from '../../../agent/ca/serve.ts';
import { silentLog } from '../../../agent/log.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { client, service, startMesh } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';

const envoy = realEnvoy();
const DAY = 86_400_000;

/** How long until the other side ends a connection on which `text` is all that comes. Milliseconds. */
function heldFor(at: { port: number } | { path: string }, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket: Socket = connect('port' in at ? { ...at, host: '127.0.0.1' } : at, () => socket.write(text));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection is still there after ${Math.round(performance.now() - started)} ms`));
    }, 40_000);
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(performance.now() - started);
    });
  });
}

test(
  'clients that say half of a request, or nothing of TLS, are let go by each server',
  withScratch(async (folder) => {
    const ca = join(folder, 'ca');
    await initCa(ca, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: 10 * DAY,
      intermediateLifeMs: 10 * DAY,
      passphrase: undefined,
    });
    const served = await serveCa(ca, { host: '127.0.0.1', port: 0, names: [], passphrase: undefined, log: silentLog });
    const mesh = await startMesh(
      { 'a.yaml': `${service('shop')}${client('web')}` },
      { metrics: { host: '127.0.0.1', port: 0, required: true } },
    );
    const { url, metricsUrl, socket } = mesh.agent.api;
    const half = 'GET /fairlead/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Half: ';
    try {
      const held = await Promise.all([
        heldFor({ port: Number(new URL(url as string).port) }, half),
        heldFor({ path: socket }, half),
        heldFor({ port: Number(new URL(metricsUrl as string).port) }, half),
        heldFor({ path: served.socket }, half),
        heldFor({ port: served.port }, ''),
        heldFor({ port: served.port }, '\u0016\u0003\u0001\u0002\u0000\u0001'),
      ]);
      for (const ms of held) assert.ok(ms > 1000, `${ms} ms: a client that is a little slow is not cut off`);
    } finally {
      await mesh.close();
      await served.close();
    }
  }),
);

for (const engine of ['embedded', 'envoy'] as const) {
  if (engine === 'envoy' && 'missing' in envoy) {
    test.skip(`envoy: ${envoy.missing}`, () => undefined);
    continue;
  }
  test(`${engine}: everything is on loopback or a Unix socket, for nobody but this machine, and GET changes nothing`, async () => {
    if (engine === 'envoy' && 'path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const mesh = await startMesh({ 'a.yaml': `${service('shop')}${client('web')}` }, { engine });
    try {
      const { url } = mesh.agent.api;
      assert.match(url as string, /^http:\/\/127\.0\.0\.1:/);
      const changing = [
        '/fairlead/v1/sync',
        '/fairlead/v1/drain',
        '/fairlead/v1/stop',
        '/quitquitquit',
        '/drain_listeners',
        '/reset_counters',
      ];
      for (const path of [...changing, '/healthcheck/fail', '/healthcheck/ok', '/logging?level=debug', '/cpuprofiler?enable=y'])
        for (const method of ['GET', 'HEAD']) {
          const { status } = await fetch(url + path, { method });
          assert.ok(status >= 400, `${method} ${path}: ${status}`);
        }
      assert.is(mesh.agent.status().engine.state, 'running');
      assert.is((await fetch(`${url}/ready`)).status, 200);
    } finally {
      await mesh.close();
    }
  });
}

test.run();
