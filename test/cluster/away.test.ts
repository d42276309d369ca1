/**
 * The API server is away, a whole minute of it in CI: traffic goes on at both engines, changes flow soon after its return, and those who
 * wait do not come back in one wave. It is mostly waiting, so that other tests run beside it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createApiClient } from '../../src/kubernetes/client.ts';
import { createReachability } from '../../src/kubernetes/reachability.ts';
import { WATCH_TIMING, watchCollection } from '../../src/kubernetes/watch-collection.ts';
import { type Running, startFairlead } from '../support/cli.ts';
import { createDefinitions, namespaceOf, ownAddress, routeOf, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { startBackend } from '../support/cluster-traffic.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { realEnvoy } from '../support/envoy.ts';
import { freePort } from '../support/free-ports.ts';
import { get } from '../support/http-proxy.ts';
import { accessOf, startKubeApi } from '../support/kube-api.ts';

const AWAY_MS = process.env['CI'] ? 60_000 : 12_000;
/** Watches that stand for as many agents. */
const AGENTS = 60;
/** What times are counted by: a busy machine lets timers that are near each other fire together, whatever was meant. */
const SLICE_MS = 500;
/** Until all pauses between probes are as long as they get. */
const WARM_MS = 5000;

const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(
    `SKIP an API server that is away: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`,
  );
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const backends = await Promise.all(['v1', 'v2'].map(startBackend));
  const envoy = realEnvoy();
  if ('missing' in envoy) console.log(`SKIP Envoy while the API server is away: ${envoy.missing}`);
  const engines = ['embedded', ...('missing' in envoy ? [] : ['envoy'])];
  const agents: Running[] = [];
  const herd = await startCutProxy(api.port);
  const stop = new AbortController();

  test.after(async () => {
    stop.abort();
    await herd.close();
    for (const { child } of agents) child.kill('SIGTERM');
    await Promise.all(agents.map(({ ended }) => ended));
    for (const { server } of backends) server.close();
    await api.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  test('traffic goes on without a failure, changes flow again, and nobody comes back in a wave', async () => {
    await createDefinitions(api);
    for (const name of ['shop', 'istio-system']) await api.create(namespaceOf(name));
    await api.create(serviceOf('reviews', 'shop'));
    for (const { name, port } of backends) {
      await api.create(serviceOf(name, 'shop', port));
      await api.create(sliceOf(name, 'shop', port, [address]));
    }
    await api.create(routeOf('reviews', 'shop', 'v1'));
    const ports = await Promise.all(engines.map(freePort));
    const opened = watchAs(AGENTS, api.kubeconfigFor('herd', 'admin-token', herd.port), stop.signal);
    for (const [i, engine] of engines.entries()) {
      const config = join(scratch, `${engine}.yaml`);
      writeFileSync(config, `proxyHttpPort: ${ports[i]}\n`);
      agents.push(
        startFairlead(
          [
            ...['agent', 'run', '-k', '--mesh-config', config, '--data', join(scratch, engine)],
            ...['--api-port', '0', '--metrics-port', '0'],
          ],
          { KUBECONFIG: api.kubeconfig, FAIRLEAD_ENGINE: engine, ...('path' in envoy && { ENVOY_PATH: envoy.path }) },
        ),
      );
    }
    const ask = (port: number, agent?: Agent): Promise<string> => get(port, 'http://reviews.shop/', agent ?? false);
    const told = (error: Error): never => {
      throw new Error(`${error.message}\n${agents.map((agent) => agent.err()).join('\n')}`);
    };
    const follow = async (to: string): Promise<number> => {
      await api.patch(routeOf('reviews', 'shop', to), { spec: routeOf('reviews', 'shop', to)['spec'] });
      return until(
        `both send to ${to}`,
        async () => (await Promise.all(ports.map((port) => ask(port)))).every((who) => who === to),
        60_000,
      ).catch(told);
    };
    await until('both serve', async () => (await Promise.all(ports.map((port) => ask(port)))).every((who) => who === 'v1'), 60_000).catch(
      told,
    );
    await until('all watch', () => opened() >= AGENTS);

    const kept = new Agent({ keepAlive: true });
    const traffic = ports.flatMap((port) => [startTraffic(() => ask(port)), startTraffic(() => ask(port, kept))]);
    /** What was measured; whatever happens, nobody goes on asking after it. */
    const outage = async () => {
      try {
        await api.kill();
        herd.refuse();
        await pause(WARM_MS);
        const before = { at: performance.now(), probes: herd.accepted() };
        await pause(AWAY_MS - WARM_MS);
        const seconds = (performance.now() - before.at) / 1000;
        const away = herd.times().slice(before.probes);
        await api.restart();
        const [probes, watching] = [herd.accepted(), opened()];
        herd.heal();
        const flows = await follow('v2');
        const all = await until('all watch again', () => opened() - watching >= AGENTS, 60_000);
        const results = await Promise.all(traffic.map((end) => end()));
        return { seconds, away, returned: herd.times().slice(probes), flows, all, results };
      } finally {
        await Promise.all(traffic.map((end) => end()));
        kept.destroy();
        stop.abort();
      }
    };
    const { seconds, flows, all, results, ...times } = await outage();
    const probes = times.away.length;
    for (const { asked, wrong } of results) {
      assert.equal(wrong, []);
      assert.ok(asked > 50, `${asked} requests`);
    }
    for (const agent of agents) assert.match(agent.err(), /what it had last stays/);
    // A pause is 1.5 s on the average.
    assert.ok(probes < AGENTS * seconds, `${probes} probes of ${AGENTS} in ${seconds.toFixed(0)} s`);
    // In one wave all would come at once, and again after the longest pause, 3 s.
    const share = slices(times.away).size / ((seconds * 1000) / SLICE_MS);
    assert.ok(share > 0.5, `probes in ${(share * 100).toFixed(0)} % of all half seconds`);
    assert.ok(slices(times.returned).size >= 3, `all came back within ${slices(times.returned).size} half seconds`);
    console.log(
      `${AWAY_MS / 1000} s away: ${results.reduce((sum, { asked }) => sum + asked, 0)} requests, none failed; a change was acted on ${flows.toFixed(0)} ms after its return`,
    );
    const most = (of: readonly number[]): number => Math.max(...slices(of).values());
    console.log(
      `${AGENTS} agents: ${(probes / seconds).toFixed(0)} probes a second, at most ${most(times.away)} in half of one; all watched again after ${all.toFixed(0)} ms, at most ${most(times.returned)} connections in half a second`,
    );
  });
}

test.run();

/** So many watches of Services, each as another agent has it. Gives how many were ever opened. */
function watchAs(count: number, kubeconfig: string, signal: AbortSignal): () => number {
  let opened = 0;
  for (let i = 0; i < count; i++) {
    const client = createApiClient(accessOf(kubeconfig));
    signal.addEventListener('abort', () => client.close());
    void watchCollection({
      client,
      path: '/api/v1/namespaces/shop/services',
      reachability: createReachability(client, signal),
      timing: { ...WATCH_TIMING, lifetime: 3_600_000 },
      signal,
      keep: (object) => object,
      listed: () => undefined,
      put: () => undefined,
      dropped: () => undefined,
      opened: () => void opened++,
      failed: () => false,
    });
  }
  return () => opened;
}

/** How many of the times are in each half second that has any. */
function slices(times: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const time of times) {
    const slice = Math.floor(time / SLICE_MS);
    counts.set(slice, (counts.get(slice) ?? 0) + 1);
  }
  return counts;
}

/** Asks one after the other until it is ended; gives how many were asked, and the answers that came from nobody. */
function startTraffic(ask: () => Promise<string>): () => Promise<{ asked: number; wrong: string[] }> {
  let going = true;
  let asked = 0;
  const wrong: string[] = [];
  const loop = (async () => {
    while (going) {
      asked++;
      const who = await ask();
      if (!/^v[12]$/.test(who)) wrong.push(who);
      await pause(25);
    }
  })();
  return async () => {
    going = false;
    await loop;
    return { asked, wrong };
  };
}
