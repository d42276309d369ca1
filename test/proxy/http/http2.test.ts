import { createServer } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type Harness, startHarness, until } from './harness.ts';

const test = suite('HTTP/2 downstream');
let backend: Backend;
let proxy: Harness;
let session: ClientHttp2Session;

test.before(async () => {
  backend = await startBackend('one');
  proxy = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${backend.port}`] }] });
});
test.before.each(() => {
  proxy.records.length = 0;
  session = connect(`http://127.0.0.1:${proxy.port}`);
});
test.after.each(() => session.destroy());
test.after(async () => {
  await proxy.close();
  await backend.close();
});

interface Answer {
  headers: Record<string, unknown>;
  trailers: Record<string, unknown> | undefined;
  body: string;
}

function send(headers: Record<string, string>, body?: string, client = session): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.request(headers, { endStream: body === undefined });
    const answer: Answer = { headers: {}, trailers: undefined, body: '' };
    stream.on('response', (h) => (answer.headers = h as Record<string, unknown>));
    stream.on('trailers', (t) => (answer.trailers = t as Record<string, unknown>));
    stream.on('data', (chunk) => (answer.body += chunk));
    stream.on('end', () => resolve(answer));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

test('is told from HTTP/1 by its preface, and goes to an HTTP/1 upstream', async () => {
  const answer = await send({ ':path': '/h2', 'x-a': '1', cookie: 'a=1' });
  assert.is(answer.headers[':status'], 200);
  const seen = JSON.parse(answer.body);
  assert.is(seen.url, '/h2');
  assert.is(seen.headers.host, `127.0.0.1:${proxy.port}`);
  const record = await proxy.record();
  assert.equal([record.protocol, record.status, record.flags], ['HTTP/2', 200, '-']);
  assert.is(proxy.stats.counter('http.test.downstream_cx_http2_total').value > 0, true);
});

test('many streams at once', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send({ ':path': `/${i}`, ':method': 'POST' }, `body ${i}`)));
  answers.forEach((answer, i) => {
    assert.is(JSON.parse(answer.body).url, `/${i}`);
  });
});

test('local replies, with and without a body', async () => {
  const none = await startHarness({ clusters: [{ name: 'backend', hosts: [] }] });
  const client = connect(`http://127.0.0.1:${none.port}`);
  try {
    const answer = await send({ ':path': '/' }, undefined, client);
    assert.is(answer.headers[':status'], 503);
    assert.is(answer.body, 'no healthy upstream');
    const grpc = await send({ ':path': '/s/m', ':method': 'POST', 'content-type': 'application/grpc' }, 'x', client);
    assert.equal([grpc.headers[':status'], grpc.headers['grpc-status'], grpc.body], [200, '14', '']);
  } finally {
    client.destroy();
    await none.close();
  }
});

test('a stream that the client resets cancels the upstream request: flag DC', async () => {
  let left = false;
  const slow = createServer((request) => request.on('close', () => (left = true)));
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const other = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${(slow.address() as AddressInfo).port}`] }] });
  const client = connect(`http://127.0.0.1:${other.port}`);
  try {
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => undefined);
    setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 50);
    const record = await other.record();
    assert.equal([record.flags, record.status], ['DC', 0]);
    await until('the upstream request is gone', () => left);
  } finally {
    client.destroy();
    await other.close();
    slow.closeAllConnections();
    slow.close();
  }
});

test('an upstream status that HTTP/2 forbids cuts its stream off, and nothing else', async () => {
  backend.handler = (request, response) => {
    if (request.url === '/bad') response.writeHead(999);
    response.end('body');
  };
  const bad = await send({ ':path': '/bad' }).then(
    () => 'answered',
    () => 'cut off',
  );
  assert.is(bad, 'cut off');
  assert.is((await send({ ':path': '/good' })).body, 'body');
});

test('a client that leaves without a word is let go', async () => {
  const active = (): number => proxy.stats.gauge('http.test.downstream_cx_active').value;
  const before = active();
  const socket = connectTcp(proxy.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  await until('it is counted', () => active() > before);
  socket.end();
  await until('it is let go', () => active() === before);
});

test('drains: GOAWAY, and streams in flight finish', async () => {
  let release = (): void => {};
  const slow = createServer((_request, response) => {
    release = () => void response.end('done');
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const other = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${(slow.address() as AddressInfo).port}`] }] });
  const client = connect(`http://127.0.0.1:${other.port}`);
  try {
    let goaway = false;
    client.on('goaway', () => (goaway = true));
    const answer = send({ ':path': '/' }, undefined, client);
    await until('the request is at the backend', () => other.stats.gauge('http.test.downstream_rq_active').value === 1);
    const drained = other.runtime.drain(5000);
    await until('GOAWAY', () => goaway);
    release();
    assert.is((await answer).body, 'done');
    await drained;
  } finally {
    client.destroy();
    await other.close();
    slow.closeAllConnections();
    slow.close();
  }
});

test('an extended CONNECT is a WebSocket to an HTTP/1 server (RFC 8441)', async () => {
  const echo = createServer();
  echo.on('upgrade', (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${request.headers.upgrade}\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const other = await startHarness({
    clusters: [{ name: 'backend', hosts: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] }],
    manager: { upgradeConfigs: [{ upgradeType: 'websocket' }], http2ProtocolOptions: { allowConnect: true } },
  });
  const client = connect(`http://127.0.0.1:${other.port}`);
  try {
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    const stream = client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/ws', ':authority': 'a' });
    let status = 0;
    let text = '';
    stream.on('response', (headers) => (status = headers[':status'] ?? 0));
    stream.on('data', (chunk) => (text += chunk));
    stream.write('hello');
    await until('the echo', () => text === 'HELLO');
    assert.is(status, 200);
    stream.end();
    await other.record();
  } finally {
    client.destroy();
    await other.close();
    echo.close();
  }
});

test.run();
