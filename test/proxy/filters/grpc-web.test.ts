import { createServer as createHttp1, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer as createHttp2, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Harness, raw, startHarness, until } from '../http/harness.ts';

const test = suite('gRPC-Web');
const open: (() => unknown)[] = [];
test.after.each(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const FILTERS = 'type.googleapis.com/envoy.extensions.filters.http';
const chain = [
  { name: 'envoy.filters.http.grpc_web', typedConfig: { '@type': `${FILTERS}.grpc_web.v3.GrpcWeb` } },
  { name: 'envoy.filters.http.grpc_stats', typedConfig: { '@type': `${FILTERS}.grpc_stats.v3.FilterConfig` } },
  { name: 'envoy.filters.http.router', typedConfig: { '@type': `${FILTERS}.router.v3.Router` } },
];

async function listen(server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function proxyTo(hosts: string[], http2 = true): Promise<Harness> {
  const proxy = await startHarness({
    clusters: [{ name: 'backend', hosts, http2 }],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'backend', timeout: '0s' } }],
    manager: { httpFilters: chain },
  });
  open.push(() => proxy.close());
  return proxy;
}

/** A gRPC server: hands the whole request to `answer`. */
async function grpcServer(answer: (stream: ServerHttp2Stream, headers: Http2Headers, body: Buffer) => void): Promise<string> {
  const server = createHttp2();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    // A stream that was reset ends, too.
    stream.on('end', () => setImmediate(() => stream.aborted || answer(stream, headers, Buffer.concat(pieces))));
  });
  open.push(() => server.close());
  return listen(server);
}

function frame(message: string | Buffer, flags = 0): Buffer {
  const body = Buffer.from(message);
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function respond(stream: ServerHttp2Stream, pieces: readonly Buffer[], trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const piece of pieces) stream.write(piece);
  stream.end();
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function call(
  proxy: Harness,
  headers: Record<string, string>,
  pieces: readonly (string | Buffer)[],
  path = '/shop.Cart/Add',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: proxy.port, method: 'POST', path, headers, maxHeaderSize: 65_536 }, (response) => {
      const body: Buffer[] = [];
      response.on('data', (piece) => body.push(piece));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(body) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.setNoDelay(true);
    const next = (i: number): void => {
      if (i === pieces.length) request.end();
      else request.write(pieces[i]!, () => setImmediate(next, i + 1));
    };
    next(0);
  });
}

/** Base64 that was padded wherever a piece ended. */
function decodePieces(text: string): Buffer {
  return Buffer.concat([...text.matchAll(/[^=]+={0,2}/g)].map(([piece]) => Buffer.from(piece, 'base64')));
}

test('binary: the server sees gRPC, the client its trailers as the last frame', async () => {
  let seen: Http2Headers = {};
  const host = await grpcServer((stream, headers, body) => {
    seen = headers;
    respond(stream, [body], { 'grpc-status': '0', 'grpc-message': 'fine', 'x-cost': '3' });
  });
  const proxy = await proxyTo([host]);
  const message = frame('hello');
  const answer = await call(proxy, { 'content-type': 'application/grpc-web+proto', 'content-length': String(message.length) }, [message]);
  assert.equal(
    [seen['content-type'], seen['te'], seen['grpc-accept-encoding'], seen['content-length']],
    ['application/grpc', 'trailers', 'identity', undefined],
  );
  assert.is(answer.status, 200);
  assert.is(answer.headers['content-type'], 'application/grpc-web+proto');
  assert.is(answer.headers['trailer'], undefined);
  const trailers = frame('grpc-status:0\r\ngrpc-message:fine\r\nx-cost:3\r\n', 0x80);
  assert.is(answer.body.toString('latin1'), Buffer.concat([message, trailers]).toString('latin1'));
  const record = await proxy.record();
  assert.equal([record.grpc, record.grpcStatus, record.bytesSent], [true, 0, answer.body.length]);
  assert.is(proxy.stats.counter('cluster.backend.grpc.success').value, 1);
});

test('the raw bytes of an HTTP/1.1 answer', async () => {
  const host = await grpcServer((stream) => respond(stream, [frame('abc')], { 'grpc-status': '7' }));
  const proxy = await proxyTo([host]);
  const body = frame('x').toString('latin1');
  const text = await raw(
    proxy.port,
    `POST /s/m HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/grpc-web\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const [head, rest] = text.split('\r\n\r\n', 2);
  assert.match(head!, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head!, /transfer-encoding: chunked/i);
  assert.ok(rest!.includes('\x00\x00\x00\x00\x03abc'));
  assert.ok(text.includes('\x80\x00\x00\x00\x0fgrpc-status:7\r\n\r\n0\r\n\r\n'), JSON.stringify(text));
});

test('text: base64 across the borders of chunks, with padding between messages, both ways', async () => {
  let received: Buffer = Buffer.alloc(0);
  const replies = [frame('a'), frame('bc'), frame(''), frame('d'.repeat(100_000))];
  const all = Buffer.concat(replies);
  const host = await grpcServer((stream, _headers, body) => {
    received = body;
    // Borders that fit neither frames nor groups of three bytes.
    respond(stream, [all.subarray(0, 2), all.subarray(2, 9), all.subarray(9, 5000), all.subarray(5000)], { 'grpc-status': '0' });
  });
  const proxy = await proxyTo([host]);
  const messages = [frame('one'), frame('three'), frame('')];
  const text = messages.map((m) => m.toString('base64')).join('');
  assert.match(text, /=[A-Za-z]/);
  const pieces = [text.slice(0, 1), text.slice(1, 3), text.slice(3, 10), text.slice(10)];
  const headers = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text' };
  const answer = await call(proxy, headers, pieces);
  assert.is(received.toString('hex'), Buffer.concat(messages).toString('hex'));
  assert.is(answer.headers['content-type'], 'application/grpc-web-text+proto');
  const trailers = frame('grpc-status:0\r\n', 0x80);
  const encoded = answer.body.toString('latin1');
  assert.is(decodePieces(encoded).toString('hex'), Buffer.concat([all, trailers]).toString('hex'));
  // Each message stands by itself, so that it can be read before the next one comes.
  assert.is(encoded, [...replies, trailers].map((f) => f.toString('base64')).join(''));
});

test('a message in text leaves at once, though the call goes on', async () => {
  let stream: ServerHttp2Stream | undefined;
  const host = await grpcServer((s) => {
    stream = s;
    s.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    s.on('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0' }));
    s.write(frame('z'));
  });
  const proxy = await proxyTo([host]);
  let text = '';
  const request = httpRequest(
    {
      port: proxy.port,
      method: 'POST',
      path: '/s/m',
      headers: { 'content-type': 'application/grpc-web', accept: 'application/grpc-web-text+proto' },
    },
    (response) => response.on('data', (piece) => (text += piece)),
  );
  request.end(frame('q'));
  await until('the message', () => text === frame('z').toString('base64'));
  stream!.end();
  await until('the trailers', () => text.endsWith(frame('grpc-status:0\r\n', 0x80).toString('base64')));
});

test('trailers alone stay headers', async () => {
  const host = await grpcServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'none' }, { endStream: true });
  });
  const proxy = await proxyTo([host]);
  const answer = await call(proxy, { 'content-type': 'application/grpc-web' }, [frame('x')]);
  assert.equal(
    [answer.status, answer.headers['grpc-status'], answer.headers['grpc-message'], answer.headers['content-type'], answer.body.length],
    [200, '5', 'none', 'application/grpc-web+proto', 0],
  );
  assert.is((await proxy.record()).grpcStatus, 5);
});

test('local replies and answers that are no gRPC become grpc-status and grpc-message', async () => {
  const nobody = await proxyTo([]);
  const local = await call(nobody, { 'content-type': 'application/grpc-web' }, [frame('x')]);
  assert.equal(
    [
      local.status,
      local.headers['grpc-status'],
      local.headers['grpc-message'],
      local.headers['content-type'],
      local.headers['content-length'],
    ],
    [503, '14', 'no healthy upstream', 'application/grpc-web+proto', '0'],
  );
  const record = await nobody.record();
  assert.equal([record.status, record.flags, record.grpcStatus], [503, 'UH', 14]);

  const web = createHttp1((_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end(`50% ${'x'.repeat(20_000)}`),
  );
  open.push(() => web.close());
  const proxy = await proxyTo([await listen(web)], false);
  const foreign = await call(proxy, { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text' }, [
    frame('x').toString('base64'),
  ]);
  assert.equal(
    [foreign.status, foreign.headers['grpc-status'], foreign.headers['content-type'], foreign.body.length],
    [404, '12', 'application/grpc-web-text+proto', 0],
  );
  const message = String(foreign.headers['grpc-message']);
  assert.match(message, /^50%25 xxx/);
  assert.is(message.length, 16 * 1024 + 2);
});

test('text that is no base64 gets 400, and the server no whole request', async () => {
  let whole = 0;
  const host = await grpcServer(() => whole++);
  const proxy = await proxyTo([host]);
  const text = { 'content-type': 'application/grpc-web-text' };
  const bodies = ['AAAA*AAA', 'AAAAA', 'AA=A', 'A===', '====', 'AA==='];
  for (const [i, body] of bodies.entries()) {
    const answer = await call(proxy, text, [body]);
    assert.equal(
      [answer.status, answer.headers['grpc-status'], answer.headers['grpc-message']],
      [400, '13', 'Bad gRPC-web request, invalid base64 data.'],
      body,
    );
    const { details } = await proxy.record(i + 1);
    assert.match(details, body.length % 4 === 0 ? /^grpc_base_64_decode_failed$/ : /^grpc_base_64_decode_failed(_bad_size)?$/);
  }
  assert.is(whole, 0);
});

test('over HTTP/2, and the server breaks off', async () => {
  const host = await grpcServer((stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frame('half'), () => {
      if (headers[':path'] === '/s/broken') setImmediate(() => stream.session!.destroy());
      else stream.end();
    });
  });
  const proxy = await proxyTo([host]);
  const client = connect(`http://127.0.0.1:${proxy.port}`);
  open.push(() => client.destroy());
  const ask = (path: string): Promise<{ code: number; body: string }> =>
    new Promise((resolve) => {
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc-web' });
      let body = '';
      stream.on('error', () => undefined);
      stream.on('data', (piece: Buffer) => (body += piece.toString('latin1')));
      stream.on('close', () => resolve({ code: stream.rstCode, body }));
      stream.end(frame('x'));
    });
  assert.equal(await ask('/s/whole'), { code: 0, body: frame('half').toString('latin1') });
  assert.is.not((await ask('/s/broken')).code, 0);
});

test('other requests pass untouched', async () => {
  const host = await grpcServer((stream, headers, body) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(`${headers['content-type']} ${body}`);
  });
  const proxy = await proxyTo([host]);
  for (const type of ['text/plain', 'application/grpc-web+json', 'application/grpc-web-texts']) {
    const answer = await call(proxy, { 'content-type': type }, ['QUJD']);
    assert.equal([answer.headers['content-type'], String(answer.body)], ['text/plain', `${type} QUJD`]);
  }
});

test('a client that stops reading text stops the server', async () => {
  const message = frame(Buffer.alloc(64 * 1024, 'm'));
  let sent = 0;
  let stopped = false;
  const host = await grpcServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const more = (): void => {
      stopped = false;
      while (!stopped && !stream.destroyed) {
        sent += message.length;
        stopped = !stream.write(message);
      }
    };
    stream.on('drain', more);
    more();
  });
  const proxy = await proxyTo([host]);
  const socket = connectTcp(proxy.port, '127.0.0.1');
  open.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(
    'POST /s/m HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web\r\naccept: application/grpc-web-text\r\ncontent-length: 0\r\n\r\n',
  );
  await until('the answer', () => sent > 0);
  let before = -1;
  let still = 0;
  await until('the server stops', () => {
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still > 20;
  });
  assert.ok(sent < 50 * 1024 * 1024, `${sent} bytes are on their way`);
  socket.on('data', () => undefined);
  await until('the server goes on', () => sent > before + 1024 * 1024);
});

test.run();
