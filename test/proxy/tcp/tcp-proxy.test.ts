import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { checkTcpProxy } from '../../../agent/proxy/tcp/check-tcp-proxy.ts';
import { createTcpProxy } from '../../../agent/proxy/tcp/tcp-proxy.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { until } from '../../support/http.ts';
import { closedPort, endpoint, rawServer, seeded, staticCluster } from '../upstream/harness.ts';

const closers: (() => unknown)[] = [];
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function raw(serve: (socket: Socket, index: number) => void): Promise<Awaited<ReturnType<typeof rawServer>>> {
  const server = await rawServer(serve);
  closers.push(() => server.close());
  return server;
}

async function proxy(config: TcpProxyJson, clusters: ClusterJson[], originalDestination?: string) {
  const stats = createStatsRegistry();
  const manager = createClusterManager({ stats, log() {} });
  manager.update(clusters, []);
  const records: RequestRecord[] = [];
  const serve = createTcpProxy(
    { statPrefix: 't', ...config },
    { clusters: manager, stats, record: (r) => records.push(r), random: seeded(5) },
  );
  const accepted = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.add(socket);
    serve(socket, {
      localAddress: '127.0.0.1:1',
      remoteAddress: `${socket.remoteAddress}:${socket.remotePort}`,
      direction: 'outbound',
      originalDestination,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients = new Set<Socket>();
  closers.push(async () => {
    for (const socket of [...clients, ...accepted]) socket.destroy();
    await manager.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    stats,
    records,
    counter: (name: string) => stats.counter(`tcp.t.${name}`).value,
    client(): Socket {
      const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
      client.on('error', () => {});
      clients.add(client);
      return client;
    },
  };
}

/** All that a socket sends until it ends. */
function all(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (d) => {
      text += d;
    });
    socket.once('close', () => resolve(text));
    socket.once('end', () => resolve(text));
  });
}

test('bytes pass both ways, and one side may end before the other', async () => {
  const server = await raw((socket) => {
    let text = '';
    socket.on('data', (d) => {
      text += d;
    });
    // The answer comes after the client's end: a half-closed connection.
    socket.on('end', () => socket.end(`got ${text}`));
  });
  const p = await proxy({ cluster: 'c' }, [staticCluster([endpoint(server.port)])]);
  const client = p.client();
  client.write('hel');
  client.end('lo');
  assert.is(await all(client), 'got hello');
  await until('the record', () => p.records.length === 1);
  const record = p.records[0]!;
  assert.is(record.protocol, 'TCP');
  assert.is(record.flags, '-');
  assert.is(record.bytesReceived, 5);
  assert.is(record.bytesSent, 9);
  assert.is(record.upstreamHost, `127.0.0.1:${server.port}`);
  assert.match(record.upstreamLocalAddress, /^127\.0\.0\.1:\d+$/);
  assert.is(p.counter('downstream_cx_total'), 1);
  assert.is(p.counter('downstream_cx_rx_bytes_total'), 5);
});

test('a server that ends first still hears the client', async () => {
  let heard = '';
  const server = await raw((socket) => {
    socket.on('data', (d) => {
      heard += d;
    });
    socket.end('bye');
  });
  const p = await proxy({ cluster: 'c' }, [staticCluster([endpoint(server.port)])]);
  const client = p.client();
  assert.is(await all(client), 'bye');
  client.end('thanks');
  await until('the rest to arrive', () => heard === 'thanks');
  await until('the record', () => p.records.length === 1);
});

test('a client that ends before there is an upstream is heard', async () => {
  const server = await raw((socket) => {
    socket.on('end', () => socket.end('bye'));
    socket.resume();
  });
  const p = await proxy({ cluster: 'c' }, [staticCluster([endpoint(server.port)])]);
  const client = p.client();
  client.end();
  assert.is(await all(client), 'bye');
  await until('the record', () => p.records.length === 1);
});

test('the slower side sets the pace', async () => {
  let upstream: Socket | undefined;
  let received = 0;
  const server = await raw((socket) => {
    upstream = socket;
    socket.pause();
  });
  const p = await proxy({ cluster: 'c' }, [staticCluster([endpoint(server.port)])]);
  const client = p.client();
  await until('the connection', () => upstream !== undefined);
  const total = 64 * 1024 * 1024;
  const chunk = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < total; sent += chunk.length) client.write(chunk);
  client.end();
  await until('the proxy to stop reading', () => p.counter('downstream_flow_control_paused_reading_total') > 0);
  const held = p.counter('downstream_cx_rx_bytes_total');
  assert.ok(held < total / 2, `${held} bytes were taken for a server that reads nothing`);
  upstream!.on('data', (d: Buffer) => {
    received += d.length;
  });
  upstream!.on('end', () => upstream!.end());
  upstream!.resume();
  await until('everything', () => received === total, 30_000);
});

test('weights share connections out', async () => {
  const counts = [0, 0];
  const servers = await Promise.all(
    [0, 1].map((i) =>
      raw((socket) => {
        counts[i]!++;
        socket.end();
      }),
    ),
  );
  const clusters = servers.map((s, i) => staticCluster([endpoint(s.port)], { name: `w${i}` }));
  const p = await proxy(
    {
      weightedClusters: {
        clusters: [
          { name: 'w0', weight: 75 },
          { name: 'w1', weight: 25 },
        ],
      },
    },
    clusters,
  );
  for (let i = 0; i < 200; i++) {
    const client = p.client();
    await all(client);
    client.destroy();
  }
  // Standard deviation 6: this is four of them.
  assert.ok(Math.abs(counts[0]! - 150) < 25, `${counts}`);
  assert.is(counts[0]! + counts[1]!, 200);
});

test("the client's address decides where the balancer hashes", async () => {
  const servers = await Promise.all([0, 1, 2, 3].map(() => raw((socket) => socket.end())));
  const p = await proxy({ cluster: 'c', hashPolicy: [{ sourceIp: {} }] }, [
    staticCluster(
      servers.map((s) => endpoint(s.port)),
      { lbPolicy: 'RING_HASH' },
    ),
  ]);
  for (let i = 0; i < 10; i++) {
    const client = p.client();
    await all(client);
    client.destroy();
  }
  assert.equal(
    servers.map((s) => s.connections).sort((a, b) => a - b),
    [0, 0, 0, 10],
  );
});

test('nobody listens: closed with UF, after as many attempts as may be made', async () => {
  const port = await closedPort();
  const p = await proxy({ cluster: 'c', maxConnectAttempts: 3 }, [staticCluster([endpoint(port)])]);
  assert.is(await all(p.client()), '');
  await until('the record', () => p.records.length === 1);
  assert.is(p.records[0]!.flags, 'UF,URX');
  assert.is(p.records[0]!.attempts, 3);
  assert.is(p.records[0]!.upstreamTransportFailure, 'delayed connect error: Connection refused');
  assert.is(p.stats.counter('cluster.c.upstream_cx_connect_attempts_exceeded').value, 1);
});

test('another host after one that refuses', async () => {
  const server = await raw((socket) => socket.end('here'));
  const p = await proxy({ cluster: 'c', maxConnectAttempts: 2 }, [staticCluster([endpoint(await closedPort()), endpoint(server.port)])]);
  for (let i = 0; i < 4; i++) {
    const client = p.client();
    assert.is(await all(client), 'here');
    client.end();
  }
});

test('no host: UH; no cluster: NC; no room: UO', async () => {
  const empty = await proxy({ cluster: 'c' }, [staticCluster([])]);
  await all(empty.client());
  const none = await proxy({ cluster: 'other' }, [staticCluster([])]);
  await all(none.client());
  const server = await raw(() => {});
  const full = await proxy({ cluster: 'c' }, [
    staticCluster([endpoint(server.port)], { circuitBreakers: { thresholds: [{ maxConnections: 1 }] } }),
  ]);
  full.client();
  await until('the first', () => server.connections === 1);
  await all(full.client());
  await until('the records', () => [empty, none, full].every((p) => p.records.length === 1));
  assert.equal(
    [empty, none, full].map((p) => p.records[0]!.flags),
    ['UH', 'NC', 'UO'],
  );
  assert.is(none.counter('downstream_cx_no_route'), 1);
});

test('idle for too long, and open for too long', async () => {
  const server = await raw((socket) => socket.resume());
  const idle = await proxy({ cluster: 'c', idleTimeout: '0.1s' }, [staticCluster([endpoint(server.port)])]);
  await all(idle.client());
  await until('the record', () => idle.records.length === 1);
  assert.is(idle.records[0]!.flags, '-');
  assert.is(idle.counter('idle_timeout'), 1);
  const aged = await proxy({ cluster: 'c', maxDownstreamConnectionDuration: '0.1s' }, [staticCluster([endpoint(server.port)])]);
  const client = aged.client();
  const busy = setInterval(() => client.write('x'), 10);
  await all(client);
  clearInterval(busy);
  await until('the record', () => aged.records.length === 1);
  assert.is(aged.records[0]!.flags, 'DT');
  assert.is(aged.counter('max_downstream_connection_duration'), 1);
});

test('a side that breaks takes the other with it', async () => {
  const server = await raw((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const p = await proxy({ cluster: 'c' }, [staticCluster([endpoint(server.port)])]);
  const client = p.client();
  client.write('x');
  await all(client);
  const quiet = await raw((socket) => socket.resume());
  const q = await proxy({ cluster: 'c' }, [staticCluster([endpoint(quiet.port)])]);
  const broken = q.client();
  await until('the connection', () => quiet.connections === 1);
  broken.resetAndDestroy();
  await until('the server to be let go', () => quiet.sockets.size === 0 || [...quiet.sockets].every((s) => s.readableEnded));
  await until('the records', () => p.records.length === 1 && q.records.length === 1);
});

test('ORIGINAL_DST clusters get where the client wanted to go', async () => {
  const server = await raw((socket) => socket.end('found'));
  const cluster: ClusterJson = { name: 'c', type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED', connectTimeout: '1s' };
  const p = await proxy({ cluster: 'c' }, [cluster], `127.0.0.1:${server.port}`);
  assert.is(await all(p.client()), 'found');
});

test('what it does not do is refused', () => {
  const paths = (config: TcpProxyJson): (string | undefined)[] => checkTcpProxy(config).map((p) => p.path);
  assert.equal(paths({ statPrefix: 't', cluster: 'c', idleTimeout: '1s', maxConnectAttempts: 2, hashPolicy: [{ sourceIp: {} }] }), []);
  assert.equal(paths({ cluster: 'c', tunnelingConfig: { hostname: 'a:80' } }), ['tunnelingConfig']);
  assert.equal(paths({ cluster: 'c', hashPolicy: [{ filterState: { key: 'k' } }] }), ['hashPolicy[0]']);
  assert.equal(paths({}), ['cluster']);
  assert.equal(paths({ weightedClusters: { clusters: [{ name: 'a' }] } }), ['weightedClusters']);
  const deps = { clusters: createClusterManager({ stats: createStatsRegistry(), log() {} }), stats: createStatsRegistry(), record() {} };
  assert.throws(
    () => createTcpProxy({ cluster: 'c', onDemand: {} }, deps),
    (e: { code?: string }) => e.code === 'E_CONFIG_REFUSED',
  );
});

test.run();
