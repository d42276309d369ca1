import { createServer as createHttp, request as httpRequest } from 'node:http';
import { connect, createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Harness, startHarness, until } from './harness.ts';

const test = suite('streaming');
const open: (() => unknown)[] = [];
test.after.each(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const MEGABYTE = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function listen(server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function proxyTo(host: string, http2 = false): Promise<Harness> {
  const proxy = await startHarness({
    clusters: [{ name: 'backend', hosts: [host], http2 }],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'backend', timeout: '0s' } }],
  });
  open.push(() => proxy.close());
  return proxy;
}

/** Writes `total` bytes as fast as the other side takes them; the largest growth of external memory on the way. */
async function pump(write: (chunk: Buffer) => boolean, drained: (then: () => void) => void, total: number): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  collect();
  const start = process.memoryUsage();
  let grown = 0;
  for (let sent = 0; sent < total; sent += chunk.length) {
    if (!write(chunk)) await new Promise<void>((resolve) => drained(resolve));
    if (sent % (8 * MEGABYTE) === 0) {
      // What is alive counts, not what waits to be collected.
      collect();
      const { external, arrayBuffers } = process.memoryUsage();
      grown = Math.max(grown, external - start.external, arrayBuffers - start.arrayBuffers);
    }
  }
  return grown;
}

test('an upload goes as fast as the backend takes it, not into memory', async () => {
  let received = 0;
  const backend = createHttp((request, response) => {
    // Slow on purpose: a pause after every megabyte.
    let next = MEGABYTE;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < next) return;
      next += MEGABYTE;
      request.pause();
      setImmediate(() => setImmediate(() => request.resume()));
    });
    request.on('end', () => response.end(String(received)));
  });
  open.push(() => backend.close());
  const proxy = await proxyTo(await listen(backend));
  const total = 200 * MEGABYTE;
  let answer = '';
  const request = httpRequest({ port: proxy.port, method: 'POST', headers: { 'content-length': total } }, (response) => {
    response.on('data', (chunk) => (answer += chunk));
  });
  const grown = await pump(
    (chunk) => request.write(chunk),
    (then) => request.once('drain', then),
    total,
  );
  request.end();
  await until('the answer', () => answer === String(total), 20_000);
  assert.ok(grown < 40 * MEGABYTE, `memory grew by ${Math.round(grown / MEGABYTE)} MB`);
  assert.is((await proxy.record()).bytesReceived, total);
});

test('a client that stops reading stops the backend', async () => {
  let sent = 0;
  const backend = createHttp((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (sent < 500 * MEGABYTE && response.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    response.on('drain', more);
    more();
  });
  open.push(() => {
    backend.closeAllConnections();
    backend.close();
  });
  const proxy = await proxyTo(await listen(backend));
  const request = httpRequest({ port: proxy.port });
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) => request.on('response', resolve).end());
  response.pause();
  let before = -1;
  // Nothing moves any more once all buffers on the way are full.
  await until('the backend stops', () => {
    const still = sent === before && sent > 0;
    before = sent;
    return still;
  });
  assert.ok(sent < 50 * MEGABYTE, `${Math.round(sent / MEGABYTE)} MB are on their way`);
  const stopped = sent;
  response.resume();
  await until('the backend goes on', () => sent > stopped + MEGABYTE);
  request.destroy();
});

test('gRPC: messages, trailers, trailers alone, HTTP/2 to HTTP/2', async () => {
  const backend = createHttp2();
  let requestTrailers: unknown;
  backend.on('stream', (stream: ServerHttp2Stream, headers) => {
    let body = '';
    stream.on('trailers', (trailers) => (requestTrailers = trailers['x-end']));
    stream.on('data', (chunk) => (body += chunk));
    stream.on('end', () => {
      if (headers[':path'] === '/s/only') {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'none' },
          { endStream: true },
        );
        return;
      }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-seen': body }));
      stream.end('reply');
    });
  });
  open.push(() => backend.close());
  const proxy = await proxyTo(await listen(backend), true);
  const client = connect(`http://127.0.0.1:${proxy.port}`);
  open.push(() => client.destroy());
  const call = (path: string): Promise<{ headers: Record<string, unknown>; trailers: Record<string, unknown>; body: string }> =>
    new Promise((resolve, reject) => {
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }, {
        waitForTrailers: true,
      } as never);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }));
      const answer = { headers: {}, trailers: {}, body: '' } as {
        headers: Record<string, unknown>;
        trailers: Record<string, unknown>;
        body: string;
      };
      stream.on('response', (headers) => (answer.headers = headers as never));
      stream.on('trailers', (trailers) => (answer.trailers = trailers as never));
      stream.on('data', (chunk) => (answer.body += chunk));
      stream.on('end', () => resolve(answer));
      stream.on('error', reject);
      stream.end('message');
    });
  const answer = await call('/s/m');
  assert.is(answer.body, 'reply');
  assert.is(answer.trailers['grpc-status'], '0');
  assert.is(answer.trailers['x-seen'], 'message');
  assert.is(requestTrailers, 'yes');
  const record = await proxy.record(1);
  assert.equal([record.grpc, record.grpcStatus, record.protocol], [true, 0, 'HTTP/2']);
  const only = await call('/s/only');
  assert.equal([only.headers['grpc-status'], only.body], ['5', '']);
  assert.is((await proxy.record(2)).grpcStatus, 5);
  assert.is(proxy.stats.counter('cluster.backend.grpc.total').value, 2);
});

test('HTTP/1 to an HTTP/2 upstream', async () => {
  const backend = createHttp2();
  backend.on('stream', (stream: ServerHttp2Stream, headers) => {
    let body = '';
    stream.on('data', (chunk) => (body += chunk));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-authority': headers[':authority'] ?? '' });
      stream.end(`${headers[':method']} ${body}`);
    });
  });
  open.push(() => backend.close());
  const proxy = await proxyTo(await listen(backend), true);
  const answer = await new Promise<string>((resolve, reject) => {
    const request = httpRequest({ port: proxy.port, method: 'PUT', headers: { host: 'shop.example' } }, (response) => {
      let text = `${response.headers['x-authority']} `;
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    request.end('body');
  });
  assert.is(answer, 'shop.example PUT body');
});

test.run();
