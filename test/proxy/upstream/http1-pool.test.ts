import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../../support/backend.ts';
import { until } from '../../support/http.ts';
import { type Bench, closedPort, deafServer, endpoint, rawServer, send, startBench, staticCluster } from './harness.ts';

const closers: (() => unknown)[] = [];
const keep = (bench: Bench): Bench => {
  closers.push(() => bench.clusters.close());
  return bench;
};
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function backend(): Promise<Awaited<ReturnType<typeof startBackend>>> {
  const b = await startBackend('one');
  closers.push(() => b.close());
  return b;
}

async function raw(serve: Parameters<typeof rawServer>[0]): Promise<Awaited<ReturnType<typeof rawServer>>> {
  const server = await rawServer(serve);
  closers.push(() => server.close());
  return server;
}

test('a request comes back with its answer, over a connection that is used again', async () => {
  const server = await backend();
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  for (let i = 0; i < 5; i++) {
    const { status, body, events } = await send(bench.cluster, { path: `/a?n=${i}`, headers: ['host', 'shop.test', 'x-a', '1'] }).done;
    assert.is(status, 200);
    assert.equal(events, ['connected', 'headers', 'end']);
    assert.is(JSON.parse(body).url, `/a?n=${i}`);
    assert.is(JSON.parse(body).headers.host, 'shop.test');
    await new Promise((r) => setImmediate(r));
  }
  assert.is(server.requests, 5);
  assert.is(bench.counter('upstream_cx_total'), 1);
  assert.is(bench.counter('upstream_rq_total'), 5);
  assert.is(bench.gauge('upstream_rq_active'), 0);
});

test('repeated headers stay apart, both ways', async () => {
  const server = await raw((socket) => {
    socket.on('data', (request) => {
      const lines = request
        .toString()
        .split('\r\n')
        .filter((l) => l.startsWith('x-a'));
      socket.write(`HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Lines: ${lines.join('|')}\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n`);
    });
  });
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  const { headers } = await send(bench.cluster, { headers: ['host', 'h', 'x-a', '1', 'x-a', '2'] }).done;
  assert.is(headers[headers.indexOf('x-lines') + 1], 'x-a: 1|x-a: 2');
  assert.equal(
    headers.filter((_, i) => headers[i - (i % 2)] === 'set-cookie' && i % 2 === 1),
    ['a=1', 'b=2'],
  );
});

test('a body goes up in pieces and with the length that its headers say', async () => {
  const server = await backend();
  let seen: { length: string | undefined; encoding: string | undefined; bytes: number } | undefined;
  server.handler = (request, response) => {
    let bytes = 0;
    request.on('data', (c: Buffer) => {
      bytes += c.length;
    });
    request.on('end', () => {
      seen = { length: request.headers['content-length'], encoding: request.headers['transfer-encoding'], bytes };
      response.end();
    });
  };
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  for (const headers of [
    ['host', 'h', 'content-length', '300000'],
    ['host', 'h', 'transfer-encoding', 'chunked'],
  ]) {
    const call = send(bench.cluster, { method: 'POST', endStream: false, headers });
    for (let i = 0; i < 3; i++) call.stream.write(Buffer.alloc(100_000, 'x'));
    call.stream.end();
    assert.is((await call.done).status, 200);
    assert.is(seen?.bytes, 300_000);
    assert.is(seen?.length, headers[2] === 'content-length' ? '300000' : undefined);
    assert.is(seen?.encoding, headers[2] === 'content-length' ? undefined : 'chunked');
  }
});

test('a server that does not read stops the writer until it reads', async () => {
  let start: () => void = () => {};
  const server = await backend();
  server.handler = (request, response) => {
    start = () => request.resume();
    request.on('end', () => response.end());
  };
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  const drained = Promise.withResolvers<void>();
  const headers = ['host', 'h', 'transfer-encoding', 'chunked'];
  const call = send(bench.cluster, { method: 'POST', endStream: false, headers, onDrain: drained.resolve });
  call.stream.write(Buffer.alloc(1000));
  await until('the request to arrive', () => server.requests > 0);
  const chunk = Buffer.alloc(65_536);
  let written = 0;
  // A socket's buffers take some megabytes; a writer that is never stopped would write all of this.
  while (written < 2000 && call.stream.write(chunk)) {
    written++;
    await new Promise((r) => setImmediate(r));
  }
  assert.ok(written < 2000, 'never told to stop');
  start();
  await drained.promise;
  call.stream.end();
  assert.is((await call.done).status, 200);
});

test('a reader that stops is sent no more until it resumes', async () => {
  const server = await backend();
  server.handler = (_request, response) => {
    for (let i = 0; i < 64; i++) response.write(Buffer.alloc(65_536, 'y'));
    response.end();
  };
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  let chunks = 0;
  const call = send(bench.cluster, {
    reads() {
      chunks++;
      return chunks !== 1;
    },
  });
  await call.answered;
  await until('a chunk', () => chunks === 1);
  for (let i = 0; i < 20; i++) await new Promise((r) => setImmediate(r));
  assert.is(chunks, 1);
  call.stream.resume();
  assert.is((await call.done).body.length, 64 * 65_536);
});

test('interim answers and trailers are passed on', async () => {
  const server = await raw((socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n');
    });
  });
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  const { events, trailers, body } = await send(bench.cluster).done;
  assert.equal(events, ['connected', 'informational 103', 'headers', 'trailers', 'end']);
  assert.equal(trailers, ['x-sum', '7']);
  assert.is(body, 'hi');
});

test('a switch of protocols gives the raw connection', async () => {
  const server = await backend();
  const node = createServer().on('upgrade', (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-key: ${request.headers['sec-websocket-key']}\r\n\r\n`,
    );
    socket.on('data', (d) => socket.write(`echo ${d}`));
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  closers.push(() => node.close());
  assert.ok(server.port);
  const bench = keep(startBench(staticCluster([endpoint((node.address() as AddressInfo).port)])));
  const story = await send(bench.cluster, {
    upgrade: 'websocket',
    headers: ['host', 'h', 'connection', 'upgrade', 'upgrade', 'websocket', 'sec-websocket-key', 'k'],
  }).done;
  assert.is(story.status, 101);
  assert.is(story.headers[story.headers.indexOf('x-key') + 1], 'k');
  const answer = new Promise<string>((resolve) => story.socket!.once('data', (d) => resolve(String(d))));
  story.socket!.write('hello');
  assert.is(await answer, 'echo hello');
  assert.is(bench.gauge('upstream_cx_active'), 1);
  story.socket!.destroy();
  await until('the connection to be counted off', () => bench.gauge('upstream_cx_active') === 0);
  assert.is(bench.gauge('upstream_rq_active'), 0);
});

test('nobody listens: UF, with the words of the system', async () => {
  const bench = keep(startBench(staticCluster([endpoint(await closedPort())])));
  const { reset, events } = await send(bench.cluster).done;
  assert.equal(reset, { kind: 'connect-failure', flag: 'UF', detail: 'delayed_connect_error:_Connection_refused' });
  assert.equal(events, ['reset']);
  assert.is(bench.counter('upstream_cx_connect_fail'), 1);
  assert.is(bench.counter('upstream_rq_pending_failure_eject'), 1);
  assert.is(bench.counter('upstream_rq_total'), 0);
  assert.is(bench.gauge('upstream_cx_active'), 0);
});

test('a connection that fails takes all with it who wait', async () => {
  const bench = keep(startBench(staticCluster([endpoint(await closedPort())])));
  const stories = await Promise.all([1, 2, 3].map(() => send(bench.cluster).done));
  assert.equal(
    stories.map((s) => s.reset?.kind),
    ['connect-failure', 'connect-failure', 'connect-failure'],
  );
  assert.is(bench.gauge('upstream_rq_pending_active'), 0);
  await until('no connection to be left', () => bench.gauge('upstream_cx_active') === 0);
});

test('an address that does not answer: a timeout', async () => {
  const server = await deafServer();
  closers.push(() => server.close());
  const bench = keep(startBench(staticCluster([endpoint(server.port)], { connectTimeout: '0.1s' })));
  assert.equal((await send(bench.cluster).done).reset, { kind: 'connect-timeout', flag: 'UF', detail: '' });
  assert.is(bench.counter('upstream_cx_connect_timeout'), 1);
});

test('a server that closes without an answer: UC', async () => {
  const server = await raw((socket) => socket.once('data', () => socket.end()));
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  assert.equal((await send(bench.cluster).done).reset, { kind: 'connection-termination', flag: 'UC', detail: '' });
  await until('the connection to be counted off', () => bench.gauge('upstream_cx_active') === 0);
  assert.is(bench.counter('upstream_cx_destroy_remote_with_active_rq'), 1);
});

test('a server that resets: UC before an answer, UPE within one', async () => {
  const server = await raw((socket, i) =>
    socket.once('data', () => {
      if (i > 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123', () => setTimeout(() => socket.resetAndDestroy(), 20));
      else socket.resetAndDestroy();
    }),
  );
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  assert.is((await send(bench.cluster).done).reset?.flag, 'UC');
  const second = await send(bench.cluster).done;
  assert.equal(second.events, ['connected', 'headers', 'reset']);
  assert.is(second.reset?.flag, 'UPE');
  assert.is(second.body, '123');
});

test('what is not HTTP: UPE', async () => {
  const server = await raw((socket) => socket.once('data', () => socket.write('SSH-2.0-OpenSSH\r\n')));
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  assert.is((await send(bench.cluster).done).reset?.flag, 'UPE');
  assert.is(bench.counter('upstream_cx_protocol_error'), 1);
});

test('an answer that is cut off breaks the protocol, however it is framed', async () => {
  const heads = [
    'transfer-encoding: chunked\r\n\r\n5\r\nab',
    'connection: close\r\ncontent-length: 9\r\n\r\nab',
    'content-length: 9\r\n\r\nab',
  ];
  const server = await raw((socket, i) => socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${heads[i]}`)));
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  for (const _ of heads) {
    const { events, reset } = await send(bench.cluster).done;
    assert.equal(events, ['connected', 'headers', 'reset']);
    assert.is(reset?.flag, 'UPE');
  }
});

test('an answer that ends with its connection is whole', async () => {
  const server = await raw((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it')));
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  const { body, reset } = await send(bench.cluster).done;
  assert.is(reset, undefined);
  assert.is(body, 'all of it');
  await until('the connection to be gone', () => bench.gauge('upstream_cx_active') === 0);
});

test('an idle connection that the server closed is not used', async () => {
  const server = await raw((socket) =>
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', () => setTimeout(() => socket.end(), 5))),
  );
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  for (let i = 0; i < 3; i++) {
    assert.is((await send(bench.cluster).done).body, 'ok');
    await until('the connection to be gone', () => bench.gauge('upstream_cx_active') === 0);
  }
  assert.is(server.connections, 3);
});

test('a cancelled request ends its connection; a cancelled one that waits ends nothing', async () => {
  const server = await raw(() => {});
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  const waiting = send(bench.cluster);
  waiting.stream.cancel('downstream');
  assert.is(bench.counter('upstream_rq_cancelled'), 1);
  assert.is(bench.gauge('upstream_rq_pending_active'), 0);
  const running = send(bench.cluster);
  await until('the request to be sent', () => running.story.events.includes('connected'));
  running.stream.cancel('timeout');
  await until(
    'its connection to be gone',
    () => bench.counter('upstream_cx_destroy_local_with_active_rq') === 1 || bench.counter('upstream_cx_destroy_local') >= 1,
  );
  assert.is(bench.counter('upstream_rq_tx_reset'), 1);
  assert.is(bench.gauge('upstream_rq_active'), 0);
  assert.equal(running.story.events, ['connected']);
});

test('pending requests beyond the limit overflow: UO', async () => {
  const server = await backend();
  const limits = { thresholds: [{ maxPendingRequests: 2, maxConnections: 1 }] };
  const bench = keep(startBench(staticCluster([endpoint(server.port)], { circuitBreakers: limits })));
  const calls = Array.from({ length: 5 }, () => send(bench.cluster));
  assert.is(bench.gauge('circuit_breakers.default.rq_pending_open'), 1);
  const stories = await Promise.all(calls.map((c) => c.done));
  assert.equal(
    stories.map((s) => s.reset?.flag ?? s.status),
    [200, 200, 'UO', 'UO', 'UO'],
  );
  assert.is(bench.counter('upstream_rq_pending_overflow'), 3);
  assert.is(bench.counter('upstream_cx_total'), 1);
  assert.is(bench.gauge('circuit_breakers.default.rq_pending_open'), 0);
});

test('no more connections than max_connections: the rest waits its turn', async () => {
  let active = 0;
  let most = 0;
  const server = await backend();
  server.handler = (_request, response) => {
    most = Math.max(most, ++active);
    setTimeout(() => {
      active--;
      response.end('ok');
    }, 5);
  };
  const bench = keep(startBench(staticCluster([endpoint(server.port)], { circuitBreakers: { thresholds: [{ maxConnections: 2 }] } })));
  const stories = await Promise.all(Array.from({ length: 10 }, () => send(bench.cluster).done));
  assert.ok(stories.every((s) => s.status === 200));
  assert.is(most, 2);
  assert.is(bench.counter('upstream_cx_total'), 2);
  assert.ok(bench.counter('upstream_cx_overflow') > 0);
});

test('active requests beyond max_requests overflow', async () => {
  const server = await raw(() => {});
  const bench = keep(
    startBench(staticCluster([endpoint(server.port)], { circuitBreakers: { thresholds: [{ maxRequests: 1, trackRemaining: true }] } })),
  );
  assert.is(bench.gauge('circuit_breakers.default.remaining_rq'), 1);
  const first = send(bench.cluster);
  await until('the first to be sent', () => first.story.events.includes('connected'));
  assert.is(bench.gauge('circuit_breakers.default.rq_open'), 1);
  assert.is(bench.gauge('circuit_breakers.default.remaining_rq'), 0);
  const { reset } = await send(bench.cluster).done;
  assert.is(reset?.flag, 'UO');
  assert.is(bench.counter('upstream_rq_active_overflow'), 1);
  first.stream.cancel('downstream');
});

test('a connection ends after max_requests_per_connection, and when it is idle for too long', async () => {
  const server = await backend();
  const options = (common: object): object => ({
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        commonHttpProtocolOptions: common,
        explicitHttpConfig: { httpProtocolOptions: {} },
      },
    },
  });
  const bench = keep(startBench(staticCluster([endpoint(server.port)], options({ maxRequestsPerConnection: 2 }))));
  for (let i = 0; i < 4; i++) {
    await send(bench.cluster).done;
    await new Promise((r) => setImmediate(r));
  }
  assert.is(bench.counter('upstream_cx_total'), 2);
  assert.is(bench.counter('upstream_cx_max_requests'), 2);
  const idle = keep(startBench(staticCluster([endpoint(server.port)], options({ idleTimeout: '0.05s' }))));
  await send(idle.cluster).done;
  await until('the idle timeout', () => idle.counter('upstream_cx_idle_timeout') === 1);
  assert.is(idle.gauge('upstream_cx_active'), 0);
  const aged = keep(startBench(staticCluster([endpoint(server.port)], options({ maxConnectionDuration: '0.05s' }))));
  await send(aged.cluster).done;
  await until(
    'the end of its time',
    () => aged.counter('upstream_cx_max_duration_reached') === 1 && aged.gauge('upstream_cx_active') === 0,
  );
});

test('a unix socket is a host like others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-pipe-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 's');
  const server: Server = createServer((_request, response) => response.end('over a pipe'));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => server.close());
  const bench = keep(startBench(staticCluster([{ endpoint: { address: { pipe: { path } } } }])));
  const { body, host } = await send(bench.cluster).done;
  assert.is(body, 'over a pipe');
  assert.is(host?.address, path);
});

test('connections come from the bound source address', async () => {
  let remote = '';
  const server = await backend();
  server.handler = (request, response) => {
    remote = request.socket.remoteAddress ?? '';
    response.end();
  };
  const bench = keep(
    startBench(staticCluster([endpoint(server.port)], { upstreamBindConfig: { sourceAddress: { address: '127.0.0.6', portValue: 0 } } })),
  );
  await send(bench.cluster).done;
  assert.is(remote, '127.0.0.6');
});

test('HEAD and 204 answers end without a body', async () => {
  const server = await backend();
  server.handler = (request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 5 }).end();
    else response.writeHead(204).end();
  };
  const bench = keep(startBench(staticCluster([endpoint(server.port)])));
  for (const method of ['HEAD', 'DELETE']) {
    const { status, body, events } = await send(bench.cluster, { method }).done;
    assert.is(status, method === 'HEAD' ? 200 : 204);
    assert.is(body, '');
    assert.is(events.at(-1), 'end');
  }
});

test('retries are bounded by max_retries, or by a budget', async () => {
  const plain = keep(startBench(staticCluster([endpoint(1)], { circuitBreakers: { thresholds: [{ maxRetries: 2 }] } })));
  assert.equal(
    [1, 2, 3].map(() => plain.cluster.tryRetry()),
    [true, true, false],
  );
  assert.is(plain.counter('upstream_rq_retry_overflow'), 1);
  plain.cluster.endRetry();
  assert.is(plain.cluster.tryRetry(), true);
  const budget = { retryBudget: { budgetPercent: { value: 20 }, minRetryConcurrency: 3 } };
  const limited = keep(startBench(staticCluster([endpoint(1)], { circuitBreakers: { thresholds: [{ maxRetries: 1, ...budget }] } })));
  assert.equal(
    [1, 2, 3, 4].map(() => limited.cluster.tryRetry()),
    [true, true, true, false],
  );
});

test.run();
