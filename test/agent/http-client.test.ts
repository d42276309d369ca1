/** The client of our own APIs: addresses, whole answers, streams, connections that were kept too long. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exchange, type HttpTarget, httpTarget, streamLines } from '../../agent/http-client.ts';
import { until } from '../support/http.ts';
import { withScratch } from '../support/scratch.ts';

async function withServer(listener: RequestListener, run: (target: HttpTarget, server: Server) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((r) => server.once('listening', r));
  try {
    await run(httpTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) as HttpTarget, server);
  } finally {
    server.closeAllConnections();
    await new Promise((r) => server.close(r));
  }
}

const failure = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

test('addresses', () => {
  assert.is(httpTarget('unix:/run/a.sock')?.options.socketPath, '/run/a.sock');
  assert.is(httpTarget('http://127.0.0.1:15000/')?.options.port, '15000');
  assert.is(httpTarget('localhost:15000')?.address, 'http://localhost:15000');
  assert.is(httpTarget('http://[::1]:1')?.options.host, '::1');
  for (const wrong of ['https://localhost', 'ftp://x', 'http://', ':::'] as const) assert.is(httpTarget(wrong), undefined, wrong);
});

test('a whole answer, with a JSON body sent', () =>
  withServer(
    (request, response) => {
      let text = '';
      request.on('data', (d) => (text += d));
      request.on('end', () => response.writeHead(418, { 'content-type': 'text/x' }).end(`${request.method} ${request.url} ${text}`));
    },
    async (target) => {
      const answer = await exchange(target, 'PUT', '/a?b', { c: 'ä' });
      assert.equal([answer.status, answer.contentType, answer.body.toString()], [418, 'text/x', 'PUT /a?b {"c":"ä"}']);
    },
  ));

test('a body in pieces is sent whole, and anew on another connection when the kept one was closed', () =>
  withServer(
    (request, response) => {
      let text = '';
      request.on('data', (d) => (text += d));
      request.on('end', () => response.end(String(text.length)));
    },
    async (target, server) => {
      let asked = 0;
      const body = function* (): Generator<string> {
        asked++;
        for (let i = 0; i < 100; i++) yield `${'x'.repeat(50_000)}`;
      };
      assert.is((await exchange(target, 'PUT', '/', body)).body.toString(), '5000000');
      server.closeIdleConnections();
      assert.is((await exchange(target, 'PUT', '/', body)).body.toString(), '5000000');
      assert.ok(asked >= 2);
    },
  ));

test(
  'over a Unix socket',
  withScratch(async (folder) => {
    const path = join(folder, 'x.sock');
    const server = createServer((_request, response) => response.end('ok')).listen(path);
    await new Promise((r) => server.once('listening', r));
    const answer = await exchange(httpTarget(`unix:${path}`) as HttpTarget, 'GET', '/');
    assert.is(answer.body.toString(), 'ok');
    server.closeAllConnections();
    await new Promise((r) => server.close(r));
  }),
);

test('nobody there; nobody answers; half an answer', async () => {
  assert.is(await failure(exchange(httpTarget('http://127.0.0.1:1') as HttpTarget, 'GET', '/')), 'ECONNREFUSED');
  await withServer(
    (request, response) => {
      if (request.url === '/half') {
        response.writeHead(200, { 'content-length': 10 });
        response.write('half');
        setTimeout(() => response.destroy(), 10);
      }
    },
    async (target) => {
      assert.is(await failure(exchange(target, 'GET', '/never', undefined, 50)), 'ETIMEDOUT');
      assert.is(await failure(exchange(target, 'GET', '/half')), 'ECONNRESET');
    },
  );
});

test('a kept connection that the server closes is no error', () => {
  const sockets = new Set<Socket>();
  let requests = 0;
  return withServer(
    (request, response) => {
      requests++;
      sockets.add(request.socket);
      // The second request on a connection meets a server that has just given it up.
      if (requests === 2) request.socket.resetAndDestroy();
      else response.end(String(requests));
    },
    async (target) => {
      assert.is((await exchange(target, 'GET', '/')).body.toString(), '1');
      assert.is((await exchange(target, 'GET', '/')).body.toString(), '3');
      assert.is(sockets.size, 2);
    },
  );
});

test('lines of a stream, however they are cut; the end is told once', () => {
  let finish = (): void => undefined;
  return withServer(
    (_request, response) => {
      response.write('{"a":1}\n{"a"');
      setTimeout(() => response.write(':2}\n\n{"a":"\u00e4'), 10);
      setTimeout(() => response.write('"}\n{"a":'), 20);
      finish = () => response.end();
    },
    async (target) => {
      const lines: unknown[] = [];
      let ended = 0;
      streamLines(target, '/', { line: (l) => lines.push(l), ended: () => ended++ });
      await until('three lines', () => lines.length === 3);
      assert.equal(lines, [{ a: 1 }, { a: 2 }, { a: 'ä' }]);
      assert.is(ended, 0);
      finish();
      await until('the end', () => ended === 1);
    },
  );
});

test('a stream that is refused, garbled, or never there ends with the reason', () =>
  withServer(
    (request, response) => {
      if (request.url === '/refused') response.writeHead(403).end('no');
      else response.write('not json\n');
    },
    async (target) => {
      const end = (t: HttpTarget, path: string): Promise<string> =>
        new Promise((resolve) => streamLines(t, path, { line: () => undefined, ended: (error) => resolve(error?.message ?? 'fine') }));
      assert.match(await end(target, '/refused'), /403/);
      assert.match(await end(target, '/garbled'), /JSON/);
      assert.match(await end(httpTarget('http://127.0.0.1:1') as HttpTarget, '/'), /ECONNREFUSED/);
    },
  ));

test.run();
