import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { type Harness, type HarnessOptions, raw, startHarness, until } from './harness.ts';

const test = suite('router');
const open: { close(): unknown }[] = [];
test.after.each(async () => {
  for (const one of open.splice(0)) await one.close();
});

const any = (type: string, fields: object): AnyJson => ({
  '@type': `type.googleapis.com/envoy.extensions.filters.http.${type}`,
  ...fields,
});
const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nhost: shop\r\n${more}connection: close\r\n\r\n`;
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

async function backend(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer({ keepAliveTimeout: 0 }, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options);
  open.unshift(harness);
  return harness;
}

/** A port that nobody listens on. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

const to = (route: NonNullable<RouteJson['route']>): RouteJson[] => [{ match: { prefix: '/' }, route: { cluster: 'backend', ...route } }];

test('no route: 404, no body, NR', async () => {
  const proxy = await start({ routes: [{ match: { path: '/only' }, route: { cluster: 'backend' } }] });
  const answer = await raw(proxy.port, get('/other'));
  assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/);
  assert.is(bodyOf(answer), '');
  const { flags, details } = await proxy.record();
  assert.equal([flags, details], ['NR', 'route_not_found']);
  assert.is(proxy.stats.counter('http.test.no_route').value, 1);
});

test('no such cluster: 503 NC', async () => {
  const proxy = await start({});
  assert.match(await raw(proxy.port, get()), /^HTTP\/1\.1 503 /);
  const { flags, details } = await proxy.record();
  assert.equal([flags, details], ['NC', 'cluster_not_found']);
});

test('no healthy host: 503 UH', async () => {
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [] }] });
  const answer = await raw(proxy.port, get());
  assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*content-type: text\/plain/);
  assert.is(bodyOf(answer), 'no healthy upstream');
  assert.is((await proxy.record()).flags, 'UH');
});

test('connection refused: 503 UF with the transport failure', async () => {
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [await closedPort()] }] });
  const answer = await raw(proxy.port, get());
  assert.is(bodyOf(answer), 'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure');
  const record = await proxy.record();
  assert.is(record.flags, 'UF');
  assert.is(record.details, 'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}');
  assert.is(record.upstreamTransportFailure, 'delayed connect error: Connection refused');
});

test('a circuit breaker: 503 UO, x-envoy-overloaded', async () => {
  const proxy = await start({ clusters: [{ name: 'backend', hosts: ['127.0.0.1:1'], overflow: true }] });
  const answer = await raw(proxy.port, get());
  assert.match(answer, /x-envoy-overloaded: true/);
  assert.is(bodyOf(answer), 'upstream connect error or disconnect/reset before headers. reset reason: overflow');
  assert.is((await proxy.record()).flags, 'UO');
});

test('the upstream hangs up before its answer: 503 UC', async () => {
  const host = await backend((request) => request.socket.destroy());
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [host] }] });
  assert.match(bodyOf(await raw(proxy.port, get())), /reset reason: connection termination$/);
  assert.is((await proxy.record()).flags, 'UC');
});

test('the upstream hangs up in its answer: the client sees it cut off', async () => {
  const host = await backend((request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('part', () => request.socket.destroy());
  });
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [host] }] });
  const answer = await raw(proxy.port, get());
  assert.is(bodyOf(answer), 'part');
  const record = await proxy.record();
  // Envoy: the parser meets the end of the connection within a message.
  assert.is(record.flags, 'UPE');
  assert.is(record.details, 'upstream_reset_after_response_started{protocol_error}');
  assert.is(record.status, 200);
});

test('the route’s timeout: 504 UT', async () => {
  const host = await backend(() => {});
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [host] }], routes: to({ timeout: '0.050s' }) });
  const answer = await raw(proxy.port, get());
  assert.match(answer, /^HTTP\/1\.1 504 /);
  assert.is(bodyOf(answer), 'upstream request timeout');
  const record = await proxy.record();
  assert.equal([record.flags, record.details], ['UT', 'response_timeout']);
  assert.ok(record.duration >= 50);
});

test('retries until it works, and counts the attempts', async () => {
  let requests = 0;
  const seen: unknown[] = [];
  const host = await backend((request, response) => {
    seen.push(request.headers['x-envoy-attempt-count']);
    response.writeHead(++requests < 3 ? 503 : 200).end(`answer ${requests}`);
  });
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: to({ retryPolicy: { retryOn: '5xx', numRetries: 5, retryBackOff: { baseInterval: '0.001s' } } }),
    virtualHost: { includeRequestAttemptCount: true, includeAttemptCountInResponse: true },
  });
  const answer = await raw(proxy.port, get());
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*x-envoy-attempt-count: 3/);
  assert.match(bodyOf(answer), /answer 3/);
  assert.equal(seen, ['1', '2', '3']);
  assert.is((await proxy.record()).attempts, 3);
  // Envoy: what the client never saw is under retry.
  const counts = ['upstream_rq_200', 'upstream_rq_503', 'upstream_rq_completed', 'retry.upstream_rq_503', 'retry.upstream_rq_5xx'];
  assert.equal(
    counts.map((name) => proxy.stats.counter(`cluster.backend.${name}`).value),
    [1, 0, 1, 2, 2],
  );
});

test('retries are used up: the last answer, URX', async () => {
  const host = await backend((_request, response) => void response.writeHead(503).end('sorry'));
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: to({ retryPolicy: { retryOn: '5xx', numRetries: 2, retryBackOff: { baseInterval: '0.001s' } } }),
  });
  const answer = await raw(proxy.port, get());
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.match(bodyOf(answer), /sorry/);
  const record = await proxy.record();
  assert.equal([record.flags, record.attempts], ['URX', 3]);
});

test('a retry sends the body again, and another host is tried', async () => {
  const seen: { host: number; body: string }[] = [];
  const collect = (host: number) => (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      seen.push({ host, body });
      response.writeHead(seen.length === 1 ? 503 : 200).end();
    });
  };
  const hosts = [await backend(collect(0)), await backend(collect(1))];
  const proxy = await start({
    clusters: [{ name: 'backend', hosts }],
    routes: to({
      retryPolicy: {
        retryOn: '5xx',
        numRetries: 1,
        retryBackOff: { baseInterval: '0.001s' },
        retryHostPredicate: [
          {
            name: 'previous',
            typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate' },
          },
        ],
        hostSelectionRetryMaxAttempts: '5',
      },
    }),
  });
  const answer = await raw(proxy.port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello');
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.equal(
    seen.map((s) => s.body),
    ['hello', 'hello'],
  );
  assert.is.not(seen[0]?.host, seen[1]?.host);
});

test('a body above the buffer limit is not sent again', async () => {
  let requests = 0;
  const host = await backend((request, response) => {
    requests++;
    request.resume();
    request.on('end', () => response.writeHead(503).end());
  });
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    listener: { perConnectionBufferLimitBytes: 1000 },
    routes: to({ retryPolicy: { retryOn: '5xx', numRetries: 3, retryBackOff: { baseInterval: '0.001s' } } }),
  });
  const answer = await raw(
    proxy.port,
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\nconnection: close\r\n\r\n${'x'.repeat(5000)}`,
  );
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.is(requests, 1);
});

test('per-try timeout, then success', async () => {
  let requests = 0;
  const host = await backend((_request, response) => {
    if (++requests > 1) response.end('late but there');
  });
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: to({ retryPolicy: { retryOn: '5xx', numRetries: 2, perTryTimeout: '0.040s', retryBackOff: { baseInterval: '0.001s' } } }),
  });
  assert.is(bodyOf(await raw(proxy.port, get())).includes('late but there'), true);
  assert.is((await proxy.record()).attempts, 2);
});

test('delay and abort faults: DI, FI', async () => {
  const host = await backend((_request, response) => response.end('fine'));
  const always = { numerator: 100, denominator: 'HUNDRED' as const };
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: [
      {
        match: { prefix: '/abort' },
        route: { cluster: 'backend' },
        typedPerFilterConfig: {
          'envoy.filters.http.fault': any('fault.v3.HTTPFault', { abort: { httpStatus: 418, percentage: always } }),
        },
      },
      {
        match: { prefix: '/' },
        route: { cluster: 'backend' },
        typedPerFilterConfig: {
          'envoy.filters.http.fault': any('fault.v3.HTTPFault', { delay: { fixedDelay: '0.060s', percentage: always } }),
        },
      },
    ],
  });
  const aborted = await raw(proxy.port, get('/abort'));
  assert.match(aborted, /^HTTP\/1\.1 418 /);
  assert.is(bodyOf(aborted), 'fault filter abort');
  assert.is((await proxy.record(1)).flags, 'FI');
  assert.match(await raw(proxy.port, get('/')), /fine/);
  const record = await proxy.record(2);
  assert.is(record.flags, 'DI');
  assert.ok(record.duration >= 60);
});

test('CORS: a preflight is answered, an answer is marked', async () => {
  const host = await backend((_request, response) => response.end('data'));
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: [
      {
        match: { prefix: '/' },
        route: { cluster: 'backend' },
        typedPerFilterConfig: {
          'envoy.filters.http.cors': any('cors.v3.CorsPolicy', {
            allowOriginStringMatch: [{ exact: 'https://a.example' }],
            allowMethods: 'GET,PUT',
            maxAge: '60',
          }),
        },
      },
    ],
  });
  const preflight = await raw(
    proxy.port,
    get('/', 'origin: https://a.example\r\naccess-control-request-method: PUT\r\n').replace('GET', 'OPTIONS'),
  );
  assert.match(preflight, /^HTTP\/1\.1 200 [\s\S]*access-control-allow-methods: GET,PUT/);
  const actual = await raw(proxy.port, get('/', 'origin: https://a.example\r\n'));
  assert.match(actual, /access-control-allow-origin: https:\/\/a\.example/);
});

test('a mirror gets a copy, body included, and its failure is nobody’s', async () => {
  let mirrored = '';
  const main = await backend((request, response) => {
    request.resume();
    request.on('end', () => response.end('main'));
  });
  const shadow = await backend((request) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      mirrored = `${request.method} ${request.url} ${request.headers.host} ${body}`;
      request.socket.destroy();
    });
  });
  const proxy = await start({
    clusters: [
      { name: 'backend', hosts: [main] },
      { name: 'shadow', hosts: [shadow] },
    ],
    routes: to({ requestMirrorPolicies: [{ cluster: 'shadow' }] }),
  });
  const answer = await raw(proxy.port, 'POST /m HTTP/1.1\r\nhost: shop\r\ncontent-length: 4\r\nconnection: close\r\n\r\ncopy');
  assert.match(answer, /main$/);
  await until('the mirror has it', () => mirrored !== '');
  assert.is(mirrored, 'POST /m shop-shadow copy');
  assert.is((await proxy.record()).flags, '-');
});

test('redirects and direct responses', async () => {
  const proxy = await start({
    routes: [
      { match: { prefix: '/old' }, redirect: { pathRedirect: '/new', responseCode: 'MOVED_PERMANENTLY' } },
      {
        match: { prefix: '/' },
        directResponse: { status: 202, body: { inlineString: 'taken' } },
        responseHeadersToAdd: [{ header: { key: 'x-why', value: 'direct' } }],
      },
    ],
  });
  assert.match(await raw(proxy.port, get('/old')), /^HTTP\/1\.1 301 [\s\S]*location: http:\/\/shop\/new\r\n/);
  const direct = await raw(proxy.port, get('/'));
  assert.match(direct, /^HTTP\/1\.1 202 [\s\S]*x-why: direct\r\n/);
  assert.is(bodyOf(direct), 'taken');
});

test('gRPC clients get local replies as gRPC', async () => {
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [] }] });
  const answer = await raw(proxy.port, get('/svc/method', 'content-type: application/grpc\r\n').replace('GET', 'POST'));
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, /grpc-status: 14\r\n/);
  assert.match(answer, /grpc-message: no healthy upstream\r\n/);
  assert.is((await proxy.record()).grpcStatus, 14);
});

test('rewrites and header changes', async () => {
  let seen: IncomingMessage | undefined;
  const host = await backend((request, response) => {
    seen = request;
    response.setHeader('x-inner', 'secret');
    response.end();
  });
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [host] }],
    routes: [
      {
        match: { prefix: '/api/' },
        route: { cluster: 'backend', prefixRewrite: '/', hostRewriteLiteral: 'inner.example' },
        requestHeadersToAdd: [{ header: { key: 'x-from', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } }],
        responseHeadersToRemove: ['x-inner'],
      },
    ],
  });
  const answer = await raw(proxy.port, get('/api/items?x=1'));
  assert.is(seen?.url, '/items?x=1');
  assert.is(seen?.headers.host, 'inner.example');
  assert.is(seen?.headers['x-from'], '127.0.0.1');
  assert.is(seen?.headers['x-envoy-original-path'], '/api/items?x=1');
  assert.not.match(answer, /x-inner/);
  assert.is((await proxy.record()).path, '/api/items?x=1');
});

test('an answer before the end of the upload: the client gets it, and the connection ends', async () => {
  const host = await backend((_request, response) => void response.writeHead(413).end('too much'));
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [host] }] });
  const answer = await raw(proxy.port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nsome');
  assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*too much/);
});

test('idle streams: 408 while the request is incomplete, 504 after', async () => {
  const host = await backend((request) => request.resume());
  const proxy = await start({ clusters: [{ name: 'backend', hosts: [host] }], manager: { streamIdleTimeout: '0.060s' } });
  const incomplete = await raw(proxy.port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nab');
  assert.match(incomplete, /^HTTP\/1\.1 408 [\s\S]*stream timeout/);
  assert.is((await proxy.record(1)).flags, 'SI');
  assert.match(await raw(proxy.port, get()), /^HTTP\/1\.1 504 [\s\S]*stream timeout/);
});

test('a switch of protocols carries bytes both ways', async () => {
  const echo = createServer();
  echo.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-echo: 1\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise((resolve) => echo.close(resolve)) });
  const proxy = await start({
    clusters: [{ name: 'backend', hosts: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] }],
    manager: { upgradeConfigs: [{ upgradeType: 'websocket' }] },
  });
  const answer = await raw(
    proxy.port,
    'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nearly ',
    (text) => text.endsWith('EARLY BYTES'),
    (socket) =>
      socket.on('data', (chunk) => {
        if (chunk.toString().includes('101')) socket.write('bytes');
      }),
  );
  assert.match(answer, /^HTTP\/1\.1 101 [\s\S]*x-echo: 1/);
  const record = await proxy.record();
  assert.equal([record.status, record.bytesReceived, record.bytesSent], [101, 11, 11]);
});

test.run();
