import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type Harness, raw, startHarness, until } from './harness.ts';

const test = suite('HTTP/1 downstream');
let backend: Backend;
let proxy: Harness;

test.before(async () => {
  backend = await startBackend('one');
  proxy = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${backend.port}`] }] });
});
test.after(async () => {
  await proxy.close();
  await backend.close();
});
test.before.each(() => {
  proxy.records.length = 0;
});

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: shop.example:81\r\n${more}connection: close\r\n\r\n`;

test('forwards a request and says what Envoy says', async () => {
  const answer = await raw(proxy.port, get('/items?x=1', 'X-Custom: Yes\r\n'));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\nserver: envoy\r\n/);
  assert.match(answer, /\r\nx-envoy-upstream-service-time: \d+\r\n/);
  assert.match(answer, /\r\ndate: [A-Z]/);
  assert.match(answer, /\r\nconnection: close\r\n/);
  assert.not.match(answer.slice(0, answer.indexOf('\r\n\r\n')), /keep-alive/i);
  const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  assert.is(seen.url, '/items?x=1');
  assert.is(seen.headers.host, 'shop.example:81');
  assert.is(seen.headers['x-custom'], 'Yes');
  assert.is(seen.headers['x-forwarded-proto'], 'http');
  assert.match(seen.headers['x-request-id'], /^[\da-f-]{36}$/);
  assert.is(seen.headers['x-envoy-expected-rq-timeout-ms'], '15000');
  const record = await proxy.record();
  assert.is(record.status, 200);
  assert.is(record.flags, '-');
  assert.is(record.details, 'via_upstream');
  assert.is(record.upstreamCluster, 'backend');
  assert.is(record.upstreamHost, `127.0.0.1:${backend.port}`);
  assert.is(record.attempts, 1);
  assert.is(record.path, '/items?x=1');
});

test('keeps the connection, and answers pipelined requests in order', async () => {
  const one = 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n';
  const answer = await raw(proxy.port, one + one.replace('/a', '/b') + get('/c'));
  const urls = [...answer.matchAll(/"url":"([^"]+)"/g)].map((m) => m[1]);
  assert.equal(urls, ['/a', '/b', '/c']);
});

test('HEAD has the headers and no body', async () => {
  const answer = await raw(proxy.port, get('/').replace('GET', 'HEAD'));
  assert.match(answer, /content-length: \d+/);
  assert.ok(answer.endsWith('\r\n\r\n'));
});

test('an absolute-form target gives host and path', async () => {
  const answer = await raw(proxy.port, 'GET http://api.example/v1?q HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n');
  const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  assert.is(seen.url, '/v1?q');
  assert.is(seen.headers.host, 'api.example');
});

test('100 Continue comes before the body, and the body arrives', async () => {
  let continued = false;
  const answer = await raw(
    proxy.port,
    'POST /up HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n',
    undefined,
    (socket) =>
      socket.on('data', (chunk) => {
        if (!continued && chunk.toString().startsWith('HTTP/1.1 100')) socket.write('hello');
        continued = true;
      }),
  );
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
  assert.is((await proxy.record()).bytesReceived, 5);
});

const refused: [name: string, bytes: string, status: number, details: string | RegExp][] = [
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'missing_host_header'],
  ['two Hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400, 'http1.codec_error'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nhost: a\r\n\r\n', 426, 'low_version'],
  [
    'a length and chunks (RFC 9112 6.3)',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'http1.content_length_and_chunked_not_allowed',
  ],
  [
    'chunks and a length',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n',
    400,
    'http1.content_length_and_chunked_not_allowed',
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd', 400, 'http1.codec_error'],
  [
    'chunked, but not last',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n',
    501,
    'http1.invalid_transfer_encoding',
  ],
  ['a folded header', 'GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n', 400, 'http1.codec_error'],
  ['a bare line feed', 'GET / HTTP/1.1\nhost: a\n\n', 400, 'http1.codec_error'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nhost : a\r\n\r\n', 400, 'http1.codec_error'],
  ['no HTTP at all', 'hello there\r\n\r\n', 400, 'http1.codec_error'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n', 404, 'absolute_path_rejected'],
  ['CONNECT without a route for it', 'CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n', 404, 'route_not_found'],
  [
    'an upgrade that is not allowed',
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    403,
    'upgrade_failed',
  ],
  ['too many headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(101)}\r\n`, 431, 'http1.too_many_headers'],
  ['headers that are too large', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431, 'http1.headers_too_large'],
];

for (const [name, bytes, status, details] of refused) {
  test(`refuses ${name} with ${status}`, async () => {
    const before = backend.requests;
    const answer = await raw(proxy.port, bytes, (text) => text.includes('\r\n\r\n'));
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    const record = await proxy.record();
    assert.is(record.status, status);
    assert.is(record.details, details);
    assert.is(backend.requests, before);
  });
}

test('what follows a refused request is not read as another one', async () => {
  const smuggled =
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n';
  const before = backend.requests;
  const answer = await raw(proxy.port, smuggled);
  assert.is(answer.match(/HTTP\/1\.1 /g)?.length, 1);
  assert.match(answer, /connection: close/);
  assert.is(backend.requests, before);
});

test('hop-by-hop headers stay on their hop', async () => {
  const answer = await raw(
    proxy.port,
    get('/', 'keep-alive: 5\r\nproxy-connection: x\r\nte: gzip\r\n').replace('connection: close', 'connection: close, x-gone\r\nx-gone: 1'),
  );
  const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  for (const name of ['keep-alive', 'proxy-connection', 'te', 'x-gone']) assert.is(headers[name], undefined);
});

test('Upgrade: h2c is served as if it were not there', async () => {
  const answer = await raw(
    proxy.port,
    get('/', 'upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n').replace('connection: close', 'connection: close, upgrade, http2-settings'),
  );
  assert.match(answer, /^HTTP\/1\.1 200/);
  const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  assert.is(headers.upgrade, undefined);
});

test('a client that leaves cancels the upstream request: flag DC', async () => {
  let left = false;
  const slow = createServer((request) => request.on('close', () => (left = true)));
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as { port: number };
  const other = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${port}`] }] });
  try {
    await raw(other.port, get('/'), undefined, (socket) => setTimeout(() => socket.destroy(), 50));
    const record = await other.record();
    assert.is(record.flags, 'DC');
    assert.is(record.status, 0);
    assert.is(record.details, 'downstream_remote_disconnect');
    await until('the upstream request is gone', () => left);
  } finally {
    await other.close();
    slow.closeAllConnections();
    slow.close();
  }
});

test('counts by Envoy’s names', async () => {
  const counter = (name: string): number => proxy.stats.counter(`http.test.${name}`).value;
  const before = [counter('downstream_rq_total'), counter('downstream_rq_2xx'), counter('no_route')];
  await raw(proxy.port, get('/'));
  await proxy.record();
  assert.equal(
    [counter('downstream_rq_total'), counter('downstream_rq_2xx'), counter('no_route')],
    [before[0]! + 1, before[1]! + 1, before[2]],
  );
  assert.is(proxy.stats.gauge('http.test.downstream_rq_active').value, 0);
});

test.run();
