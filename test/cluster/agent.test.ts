/** An agent on a real API server, with real traffic: changes, a cut connection, a forgotten version, an API server that is killed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Running, startFairlead } from '../support/cli.ts';
import { createDefinitions, namespaceOf, ownAddress, routeOf, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { realEnvoy } from '../support/envoy.ts';
import { freePort } from '../support/free-ports.ts';
import { get } from '../support/http-proxy.ts';
import { compact, startKubeApi } from '../support/kube-api.ts';

const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP an agent on a cluster: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const proxy = await startCutProxy(api.port);
  const proxyPort = await freePort();
  const data = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const backends = await Promise.all(['v1', 'v2', 'v3'].map(startBackend));
  let agent: Running | undefined;
  const begin = (folder = data, env: Record<string, string> = {}): Running =>
    startFairlead(['agent', 'run', '-k', '--data', folder, '--api-port', '0', '--metrics-port', '0'], {
      KUBECONFIG: api.kubeconfigFor('agent', 'admin-token', proxy.port),
      ...env,
    });

  test.after(async () => {
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    for (const { server } of backends) server.close();
    await proxy.close();
    await api.stop();
    rmSync(data, { recursive: true, force: true });
  });

  /** Who answers a request through the mesh. */
  const ask = (): Promise<string> => get(proxyPort, 'http://reviews.shop/');
  const route = (to: string) => api.patch(routeOf('reviews', 'shop', to), { spec: routeOf('reviews', 'shop', to)['spec'] });
  /** Changes the route, and waits for the traffic to follow. */
  async function follow(to: string, deadlineMs = 20_000): Promise<number> {
    await route(to);
    return until(`requests go to ${to}`, async () => (await ask()) === to, deadlineMs);
  }

  test('traffic goes where Services, EndpointSlices and VirtualServices say', async () => {
    await createDefinitions(api);
    for (const name of ['shop', 'istio-system']) await api.create(namespaceOf(name));
    await api.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: `proxyHttpPort: ${proxyPort}\n` },
    });
    await api.create(serviceOf('reviews', 'shop'));
    for (const { name, port } of backends) {
      await api.create(serviceOf(name, 'shop', port));
      await api.create(sliceOf(name, 'shop', port, [address]));
    }
    await api.create(routeOf('reviews', 'shop', 'v1'));
    agent = begin();
    await until('the agent runs', () => /the agent runs/.test(agent!.err()), 30_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent?.err()}`);
    });
    await until('requests go to v1', async () => (await ask()) === 'v1');
  });

  test('an edited VirtualService is acted on at once', async () => {
    const times = [];
    for (const to of ['v2', 'v1', 'v2', 'v1', 'v2']) times.push(await follow(to));
    console.log(
      `from the API server's answer to the first request on the new route: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`,
    );
  });

  test('endpoints come and go', async () => {
    await api.patch(sliceOf('v2', 'shop', 0, []), { endpoints: [] });
    await until('nobody serves v2', async () => /no healthy upstream/.test(await ask()));
    await api.patch(sliceOf('v2', 'shop', 0, []), { endpoints: [{ addresses: [address], conditions: { ready: true } }] });
    await until('v2 serves again', async () => (await ask()) === 'v2');
  });

  test('a definition that goes and comes again is noticed; a wrong object changes nothing else', async () => {
    await api.patch(routeOf('reviews', 'shop', 'v2'), {
      spec: { http: [{ match: [{ uri: { regex: '(' } }], route: [{ destination: { host: 'v3' } }] }] },
    });
    await api.patch(sliceOf('v1', 'shop', 0, []), { metadata: { annotations: { changed: 'yes' } } });
    await until('the warning is logged', () => /what it was before stays/.test(agent!.err()));
    assert.is(await ask(), 'v2');
    await follow('v1');
  });

  test('cut connections: watches go on from where they were', async () => {
    proxy.cut();
    const ms = await follow('v2');
    console.log(`a change while every watch was cut: ${ms.toFixed(0)} ms`);
  });

  test('an API server that has forgotten the version (410): all is listed anew', async () => {
    proxy.refuse();
    await route('v3');
    for (let i = 0; i < 20; i++) await api.patch(serviceOf('reviews', 'shop'), { metadata: { annotations: { n: String(i) } } });
    await compact(api.etcd);
    // The API server itself remembers some time longer; a new one does not.
    await api.kill();
    await api.restart();
    assert.is(await ask(), 'v2');
    proxy.heal();
    const ms = await until('requests go to v3', async () => (await ask()) === 'v3');
    console.log(`after ${ms.toFixed(0)} ms`);
  });

  test('an API server that is away: traffic goes on, and changes flow soon after its return', async () => {
    let wrong = 0;
    let asked = 0;
    let asking = true;
    const traffic = (async () => {
      while (asking) {
        asked++;
        if (!/^v[123]$/.test(await ask())) wrong++;
      }
    })();
    let before = 0;
    let ms = 0;
    try {
      await api.kill();
      // So long that the pauses between probes are the longest.
      await new Promise((resolve) => setTimeout(resolve, 8000));
      before = proxy.accepted();
      await api.restart();
      ms = await follow('v1');
    } finally {
      asking = false;
      await traffic;
    }
    assert.is(wrong, 0);
    assert.ok(asked > 100);
    assert.match(agent!.err(), /what it had last stays/);
    console.log(
      `changes flow ${ms.toFixed(0)} ms after its return; ${proxy.accepted() - before} connections were made then; ${asked} requests meanwhile`,
    );
  });

  test('an agent that starts while the API server is away runs what it saved, and catches up', async () => {
    agent?.child.kill('SIGUSR2');
    await agent?.ended;
    proxy.refuse();
    agent = begin();
    await until('the agent runs', () => /the agent runs/.test(agent!.err()), 60_000);
    assert.match(agent.err(), /could not be read yet/);
    assert.is(await ask(), 'v1');
    proxy.heal();
    await follow('v2');
  });

  test('the real Envoy carries the same traffic', async () => {
    const envoy = realEnvoy();
    if ('missing' in envoy) {
      console.log(`SKIP Envoy on a cluster: ${envoy.missing}`);
      return;
    }
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    agent = begin(join(data, 'envoy'), { FAIRLEAD_ENGINE: 'envoy', ENVOY_PATH: envoy.path });
    await until('requests go to v2', async () => (await ask()) === 'v2', 60_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent?.err()}`);
    });
    const times = [];
    for (const to of ['v1', 'v2', 'v1']) times.push(await follow(to));
    console.log(
      `Envoy: from the API server's answer to the first request on the new route: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`,
    );
  });
}

test.run();

async function startBackend(name: string): Promise<{ name: string; port: number; server: Server }> {
  const server = createServer((_, answer) => answer.end(name)).listen(0, '0.0.0.0');
  await new Promise((resolve) => server.once('listening', resolve));
  return { name, port: (server.address() as { port: number }).port, server };
}
