import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { typed } from '../../../src/envoy/any.ts';
import { HTTP_OPTIONS_KEY } from '../../../src/upstream/http-options.ts';
import { until } from '../../support/http.ts';
import { type Bench, closedPort, endpoint, rawServer, send, startBench, staticCluster } from './harness.ts';

const closers: (() => unknown)[] = [];
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Backend {
  port: number;
  sessions: ServerHttp2Session[];
  streams: number;
}

async function backend(serve: (stream: ServerHttp2Stream, headers: string[]) => void, settings = {}): Promise<Backend> {
  const server = createServer({ settings });
  const made: Backend = { port: 0, sessions: [], streams: 0 };
  server.on('session', (session) => {
    made.sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, _headers, _flags, raw) => {
    made.streams++;
    stream.on('error', () => {});
    serve(stream, raw as never);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  made.port = (server.address() as AddressInfo).port;
  closers.push(
    () =>
      new Promise<void>((resolve) => {
        for (const session of made.sessions) session.destroy();
        server.close(() => resolve());
      }),
  );
  return made;
}

function http2Bench(port: number, http2 = {}, more = {}, common = {}): Bench {
  const bench = startBench(
    staticCluster([endpoint(port)], {
      typedExtensionProtocolOptions: {
        [HTTP_OPTIONS_KEY]: typed(HTTP_OPTIONS_KEY, {
          commonHttpProtocolOptions: common,
          explicitHttpConfig: { http2ProtocolOptions: http2 },
        }),
      },
      ...more,
    }),
  );
  closers.push(() => bench.clusters.close());
  return bench;
}

test('requests share one connection; header lists pass flat, trailers both ways', async () => {
  let seen: string[] = [];
  let up: unknown;
  const server = await backend((stream, headers) => {
    seen = headers;
    stream.on('trailers', (trailers) => {
      up = trailers['x-up'];
    });
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-a': ['1', '2'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('hello');
    });
  });
  const bench = http2Bench(server.port);
  const call = send(bench.cluster, {
    method: 'POST',
    path: '/pkg.Service/Method',
    headers: ['host', 'svc.test', 'te', 'trailers', 'connection', 'keep-alive', 'x-b', '1', 'x-b', '2'],
    endStream: false,
    downstreamProtocol: 'HTTP/2',
  });
  call.stream.write(Buffer.from('body'));
  call.stream.end(['x-up', 'u']);
  const story = await call.done;
  assert.equal(seen, [
    ':method',
    'POST',
    ':scheme',
    'http',
    ':path',
    '/pkg.Service/Method',
    ':authority',
    'svc.test',
    'te',
    'trailers',
    'x-b',
    '1',
    'x-b',
    '2',
  ]);
  assert.equal(story.events, ['connected', 'headers', 'trailers', 'end']);
  assert.equal(story.headers.slice(0, 4), ['x-a', '1', 'x-a', '2']);
  assert.equal(story.trailers, ['grpc-status', '0']);
  assert.is(story.body, 'hello');
  assert.is(up, 'u');
  await Promise.all([1, 2, 3].map(() => send(bench.cluster, { downstreamProtocol: 'HTTP/2' }).done));
  assert.is(bench.counter('upstream_cx_total'), 1);
  assert.is(bench.counter('upstream_rq_total'), 4);
  assert.is(bench.gauge('upstream_rq_active'), 0);
});

test("the client's protocol decides where the cluster says so", async () => {
  const bench = startBench(
    staticCluster([endpoint(1)], {
      typedExtensionProtocolOptions: {
        [HTTP_OPTIONS_KEY]: typed(HTTP_OPTIONS_KEY, { useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} } }),
      },
    }),
  );
  assert.is(bench.cluster.isHttp2('HTTP/2'), true);
  assert.is(bench.cluster.isHttp2('HTTP/1.1'), false);
  await bench.clusters.close();
});

test('a second connection when the first has no room for another stream', async () => {
  const waiting: ServerHttp2Stream[] = [];
  const server = await backend((stream) => waiting.push(stream), { maxConcurrentStreams: 2 });
  const bench = http2Bench(server.port);
  const first = send(bench.cluster);
  await until('the first stream', () => waiting.length === 1);
  const calls = [first, ...[1, 2, 3].map(() => send(bench.cluster))];
  await until('all streams', () => waiting.length === 4);
  assert.is(server.sessions.length, 2);
  for (const stream of waiting) {
    stream.respond({ ':status': 200 });
    stream.end();
  }
  for (const call of calls) assert.is((await call.done).status, 200);
});

test('REFUSED_STREAM, another reset, and a stream error are told apart', async () => {
  const codes = [constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_INTERNAL_ERROR];
  const server = await backend((stream) => stream.close(codes.shift()));
  const bench = http2Bench(server.port);
  assert.is((await send(bench.cluster).done).reset?.kind, 'remote-refused');
  assert.is((await send(bench.cluster).done).reset?.kind, 'remote-reset');
  assert.is(bench.counter('upstream_rq_rx_reset'), 2);
});

test('GOAWAY: what runs finishes, what comes next takes a new connection', async () => {
  const streams: ServerHttp2Stream[] = [];
  const server = await backend((stream) => streams.push(stream));
  const bench = http2Bench(server.port);
  const first = send(bench.cluster);
  await until('the first stream', () => streams.length === 1);
  server.sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR, streams[0]!.id);
  await until('the goaway', () => bench.counter('upstream_cx_close_notify') === 1);
  const second = send(bench.cluster);
  await until('the second stream', () => streams.length === 2);
  assert.is(server.sessions.length, 2);
  for (const stream of streams) {
    stream.respond({ ':status': 200 });
    stream.end('ok');
  }
  assert.is((await first.done).body, 'ok');
  assert.is((await second.done).body, 'ok');
  await until('the first connection to end', () => bench.gauge('upstream_cx_active') === 1);
});

test('a connection that is lost ends all of its streams: UC', async () => {
  const server = await backend((stream) => {
    if (server.streams === 2) stream.session!.socket.destroy();
  });
  const bench = http2Bench(server.port);
  const first = send(bench.cluster);
  await until('the first stream', () => server.streams === 1);
  const stories = await Promise.all([first.done, send(bench.cluster).done]);
  assert.equal(
    stories.map((s) => s.reset?.flag),
    ['UC', 'UC'],
  );
  await until('no connection to be left', () => bench.gauge('upstream_cx_active') === 0);
});

test('nobody there: UF; a server that speaks something else: an error, not a hang', async () => {
  assert.is((await send(http2Bench(await closedPort()).cluster).done).reset?.flag, 'UF');
  const server = await rawServer((socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));
  closers.push(() => server.close());
  const { reset } = await send(http2Bench(server.port).cluster).done;
  assert.ok(reset !== undefined && reset.flag !== 'UF', JSON.stringify(reset));
});

test('a reader that stops holds the server back', async () => {
  let sent = 0;
  const server = await backend((stream) => {
    stream.respond({ ':status': 200 });
    const chunk = Buffer.alloc(65_536, 'z');
    const more = (): void => {
      while (sent < 200) {
        sent++;
        if (!stream.write(chunk)) {
          stream.once('drain', more);
          return;
        }
      }
      stream.end();
    };
    more();
  });
  const bench = http2Bench(server.port, { initialStreamWindowSize: 262_144 });
  let chunks = 0;
  const call = send(bench.cluster, { reads: () => ++chunks !== 1 });
  await until('a chunk', () => chunks === 1);
  for (let i = 0; i < 50; i++) await new Promise((r) => setImmediate(r));
  assert.ok(sent < 30, `${sent} chunks of 64 KiB went out to a reader that had stopped`);
  call.stream.resume();
  assert.is((await call.done).body.length, 200 * 65_536);
});

test('keepalive pings end a connection that does not answer them', async () => {
  const frozen = await rawServer((socket) => {
    // A preface, settings, and then silence.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    socket.resume();
  });
  closers.push(() => frozen.close());
  const bench = http2Bench(frozen.port, { connectionKeepalive: { interval: '0.05s', timeout: '0.05s' } });
  assert.is((await send(bench.cluster).done).reset?.flag, 'UC');
});

test('max_requests_per_connection and the idle timeout end connections', async () => {
  const server = await backend((stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const bench = http2Bench(server.port, {}, {}, { maxRequestsPerConnection: 2, idleTimeout: '0.05s' });
  for (let i = 0; i < 3; i++) assert.is((await send(bench.cluster).done).status, 200);
  assert.is(server.sessions.length, 2);
  await until('the idle timeout', () => bench.counter('upstream_cx_idle_timeout') === 1 && bench.gauge('upstream_cx_active') === 0);
});

test('a cancelled stream resets itself alone', async () => {
  const codes: number[] = [];
  const server = await backend((stream) => {
    stream.on('close', () => codes.push(stream.rstCode ?? -1));
    if (server.streams > 1) {
      stream.respond({ ':status': 200 });
      stream.end();
    }
  });
  const bench = http2Bench(server.port);
  const first = send(bench.cluster);
  await until('the first stream', () => server.streams === 1);
  first.stream.cancel('downstream');
  await until('the reset to arrive', () => codes.includes(constants.NGHTTP2_CANCEL));
  assert.is((await send(bench.cluster).done).status, 200);
  assert.is(server.sessions.length, 1);
});

test.run();
