/** Checks of applications by the agent's port, as the kubelet asks for them. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startMetricsServer } from '../../../agent/api/metrics-server.ts';
import { appProber, appProberOf } from '../../../agent/capture/app-probes.ts';
import type { AgentMetrics } from '../../../agent/telemetry/agent-metrics.ts';
import type { AppProbes } from '../../../src/install/capture/app-probe.ts';
import { selfSigned } from '../../contract/backends/self-signed.ts';

const metrics = { text: async () => '', close: () => undefined } as unknown as AgentMetrics;

async function listening<S extends TcpServer>(server: S): Promise<{ port: number; server: S }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

async function withApplication(
  handler: RequestListener,
  run: (port: number) => Promise<void>,
  make: (handler: RequestListener) => Server = createServer,
): Promise<void> {
  const { port, server } = await listening(make(handler));
  try {
    await run(port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Asks the agent's port for a check of these; `undefined` where nothing answers. */
async function check(probes: AppProbes, path = '/p'): Promise<{ status: number; text: string }> {
  const server = await startMetricsServer({
    ...{ host: '127.0.0.1', port: 0, metrics, unready: () => undefined },
    probe: appProber(probes, '127.0.0.1'),
  });
  try {
    const response = await fetch(server.url + path, { headers: { 'user-agent': 'kube-probe/1.36' } });
    return { status: response.status, text: (await response.text()).trim() };
  } finally {
    server.close();
  }
}

test('HTTP: the application is asked with its path, query and headers, from an address that is not captured', async () => {
  const seen: unknown[] = [];
  await withApplication(
    ({ url, headers, socket }, response) => {
      seen.push([url, headers.host, headers['x-a'], headers['user-agent'], headers.accept, socket.remoteAddress]);
      response.end('fine');
    },
    async (port) => {
      const httpHeaders = [
        { name: 'Host', value: 'shop.example' },
        { name: 'X-A', value: '1' },
        { name: 'Accept', value: '' },
      ];
      const answer = await check({ '/p': { httpGet: { path: 'ready?x=1', port, httpHeaders } } });
      assert.equal(answer, { status: 200, text: 'the application answers 200' });
      assert.equal(seen, [['/ready?x=1', 'shop.example', '1', 'kube-probe/1.36', undefined, '127.0.0.6']]);
    },
  );
});

test('HTTP: what the application says is what the kubelet hears, without its words', async () => {
  await withApplication(
    (_, response) => response.writeHead(503).end('secret'),
    async (port) => {
      assert.equal(await check({ '/p': { httpGet: { port } } }), { status: 503, text: 'the application answers 503' });
    },
  );
  await withApplication(
    (_, response) => response.writeHead(204).end(),
    async (port) => assert.is((await check({ '/p': { httpGet: { port } } })).status, 200),
  );
});

test('HTTP: redirects are followed within the pod, ten times at most', async () => {
  const seen: string[] = [];
  await withApplication(
    ({ url = '' }, response) => {
      seen.push(url);
      if (url === '/a') return response.writeHead(302, { location: '/b' }).end();
      if (url === '/b') return response.writeHead(500).end();
      if (url === '/out') return response.writeHead(302, { location: 'http://example.com/' }).end();
      return response.writeHead(302, { location: '/round' }).end();
    },
    async (port) => {
      assert.is((await check({ '/p': { httpGet: { path: '/a', port } } })).status, 500);
      assert.equal(seen.splice(0), ['/a', '/b']);
      assert.equal(await check({ '/p': { httpGet: { path: '/out', port } } }), { status: 200, text: 'the application answers 302' });
      seen.length = 0;
      assert.equal(await check({ '/p': { httpGet: { path: '/round', port } } }), {
        status: 500,
        text: 'the application redirects more than 10 times',
      });
      assert.is(seen.length, 11);
    },
  );
});

test('HTTPS: the certificate is not looked at', async () => {
  const { key, cert } = selfSigned();
  await withApplication(
    (_, response) => response.end(),
    async (port) => assert.is((await check({ '/p': { httpGet: { port, scheme: 'HTTPS' } } })).status, 200),
    (handler) => createHttps({ key, cert }, handler) as unknown as Server,
  );
});

test('an application that is silent is given up after its time, and asked once at a time', async () => {
  let asked = 0;
  await withApplication(
    () => {
      asked++;
    },
    async (port) => {
      const probe = appProber({ '/p': { httpGet: { port }, timeoutSeconds: 1 } }, undefined);
      const answers = await Promise.all([probe('/p', 'a'), probe('/p', 'b'), probe('/p', 'c')]);
      for (const answer of answers) assert.equal(answer, { status: 500, text: 'the application does not answer within 1 s' });
      assert.is(asked, 1);
    },
  );
});

test('TCP: whether connections are taken', async () => {
  const { port, server } = await listening(createTcp());
  assert.is((await check({ '/p': { tcpSocket: { port } } })).status, 200);
  await new Promise((resolve) => server.close(resolve));
  const { status, text } = await check({ '/p': { tcpSocket: { port } } });
  assert.is(status, 500);
  assert.match(text, /cannot be asked: .*ECONNREFUSED/);
});

test('gRPC: the health service of the application, by its service’s name', async () => {
  const names: string[] = [];
  const server = createHttp2();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const name = Buffer.concat(parts).subarray(7).toString();
      names.push(`${headers[':path']} ${name}`);
      if (name === 'unknown') return stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, name === 'sick' ? 2 : 1]));
    });
  });
  const { port } = await listening(server as unknown as TcpServer);
  try {
    assert.equal(await check({ '/p': { grpc: { port } } }), { status: 200, text: 'the application says SERVING' });
    const long = `shop.${'x'.repeat(200)}`;
    assert.is((await check({ '/p': { grpc: { port, service: 'shop' } } })).status, 200);
    assert.equal(await check({ '/p': { grpc: { port, service: 'sick' } } }), { status: 500, text: 'the application says NOT_SERVING' });
    assert.match((await check({ '/p': { grpc: { port, service: 'unknown' } } })).text, /gRPC status 5/);
    assert.is((await check({ '/p': { grpc: { port, service: long } } })).status, 200);
    assert.equal(names.slice(0, 2), ['/grpc.health.v1.Health/Check ', '/grpc.health.v1.Health/Check shop']);
  } finally {
    server.close();
  }
});

test('only what was declared is asked for', async () => {
  for (const path of ['/other', '/__proto__', '/p/', '/app-health/x/livez']) assert.is((await check({}, path)).status, 404, path);
});

test('what the variable cannot mean is told', () => {
  assert.is(appProberOf({}), undefined);
  for (const [text, why] of [
    ['{', /is not JSON/],
    ['[]', /is not a map/],
    ['{"/a":{}}', /no check that is known at \/a/],
    ['{"/a":{"httpGet":{"port":"http"}}}', /no check that is known at \/a/],
    ['{"/a":{"tcpSocket":{"port":80},"grpc":{"port":80}}}', /no check that is known at \/a/],
  ] as const)
    assert.throws(
      () => appProberOf({ ISTIO_KUBE_APP_PROBERS: text }),
      (error: Error & { code?: string }) => error.code === 'E_USAGE' && why.test(error.message),
    );
});

test.run();
