/** The mesh of resilience.yaml as it is, with my-service beside it: retries, timeout, circuit breaker. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../support/backend.ts';
import { type Client, createClient, until } from '../support/http.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';

const resilience = readFileSync(new URL('meshes/resilience.yaml', import.meta.url), 'utf8');

async function withMesh(
  names: readonly string[],
  run: (mesh: TestMesh, client: Client, backends: Backend[]) => Promise<void>,
  sockets = 200,
): Promise<void> {
  const backends = await Promise.all(names.map((n) => startBackend(n)));
  const around = [
    service('my-service'),
    ...backends.map((b, i) => workload(`my-${i}`, { app: 'my-service' }, b.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })),
  ];
  const mesh = await startMesh({ 'resilience.yaml': resilience, 'around.yaml': around.join('') });
  const client = createClient(mesh.httpProxy('my-0.default'), sockets);
  try {
    await run(mesh, client, backends);
  } finally {
    client.close();
    await mesh.close();
    await Promise.all(backends.map((b) => b.close()));
  }
}

test('an instance that never answers: attempts of 2 s each, 504 when the 5 s are over', () =>
  withMesh(['mute'], async (_mesh, client, [mute]) => {
    (mute as Backend).handler = (request) => void request.resume();
    const { status, body, took } = await client.get('http://my-service/');
    assert.is(status, 504);
    assert.is(body, 'upstream request timeout');
    // An expired perTryTimeout is retried only with 5xx or gateway-error in retryOn: Istio's default has neither.
    assert.ok(took >= 1900 && took < 6000, `${took} ms`);
  }));

test('an instance that refuses connections is tried 1 + 3 times, then 503 UF', () =>
  withMesh(['gone'], async (mesh, client, [gone]) => {
    await (gone as Backend).close();
    const { status, body } = await client.get('http://my-service/');
    assert.is(status, 503);
    assert.match(body, /^upstream connect error or disconnect\/reset before headers/);
    assert.is(await mesh.stat('my-0.default', 'cluster.outbound|80||my-service.default.svc.cluster.local;.upstream_rq_retry'), 3);
  }));

test('two 5xx in a row eject an instance; the other one takes over', () =>
  withMesh(['good', 'bad'], async (mesh, client, [good, bad]) => {
    (bad as Backend).handler = (request, response) => {
      request.resume();
      response.writeHead(500).end('no');
    };
    const ejections = (): Promise<number> =>
      mesh.stat('my-0.default', 'cluster.outbound|80||my-service.default.svc.cluster.local;.outlier_detection.ejections_active');
    await until('the bad instance is ejected', async () => {
      await client.get('http://my-service/');
      return (await ejections()) === 1;
    });
    const seen = { good: (good as Backend).requests, bad: (bad as Backend).requests };
    assert.is(seen.bad, 2);
    for (let i = 0; i < 40; i++) assert.is((await client.get('http://my-service/')).status, 200);
    assert.is((bad as Backend).requests, seen.bad);
    assert.is((good as Backend).requests, seen.good + 40);
  }));

test('100 connections busy and 50 requests waiting: the next one gets 503 UO at once', () =>
  withMesh(
    ['slow'],
    async (mesh, client, [slow]) => {
      const held: (() => void)[] = [];
      (slow as Backend).handler = (request, response) => {
        request.resume();
        held.push(() => response.writeHead(200).end('ok'));
      };
      const first: Promise<{ status: number }>[] = [];
      const pending = (): Promise<number> =>
        mesh.stat('my-0.default', 'cluster.outbound|80||my-service.default.svc.cluster.local;.upstream_rq_pending_active');
      // In waves: a request that waits for its own connection to be made is pending too, and 50 may be.
      for (let wave = 1; wave <= 10; wave++) {
        for (let i = 0; i < 10; i++) first.push(client.get('http://my-service/'));
        await until(`${wave * 10} are with the instance`, () => held.length === wave * 10);
      }
      for (let i = 0; i < 50; i++) first.push(client.get('http://my-service/'));
      await until('50 wait', async () => (await pending()) === 50);
      assert.is(held.length, 100);
      const over = await client.get('http://my-service/');
      assert.is(over.status, 503);
      assert.is(over.headers['x-envoy-overloaded'], 'true');
      assert.match(over.body, /overflow/);
      const release = setInterval(() => {
        for (const answer of held.splice(0)) answer();
      }, 5);
      try {
        assert.equal([...new Set((await Promise.all(first)).map((a) => a.status))], [200]);
      } finally {
        clearInterval(release);
      }
    },
    400,
  ));

test.run();
