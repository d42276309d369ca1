import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { statsText } from '../../../agent/proxy/stats/text.ts';
import { checkCluster } from '../../../agent/proxy/upstream/check-cluster.ts';
import { clustersText } from '../../../agent/proxy/upstream/clusters-text.ts';
import type { ClustersDump } from '../../../agent/proxy/upstream/dump.ts';
import { typed } from '../../../src/envoy/any.ts';
import { startBackend } from '../../support/backend.ts';
import { until } from '../../support/http.ts';
import { type Bench, endpoint, rawServer, send, startBench, staticCluster } from './harness.ts';

const closers: (() => unknown)[] = [];
const keep = (bench: Bench): Bench => {
  closers.push(() => bench.clusters.close());
  return bench;
};
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function backend(name: string): Promise<Awaited<ReturnType<typeof startBackend>>> {
  const made = await startBackend(name);
  closers.push(() => made.close());
  return made;
}

const eds: ClusterJson = { name: 'c', type: 'EDS', connectTimeout: '1s', edsClusterConfig: { serviceName: 'svc' } };
const assignment = (ports: number[], more = {}): ClusterLoadAssignmentJson => ({
  clusterName: 'svc',
  endpoints: [{ lbEndpoints: ports.map((p) => endpoint(p, more)) }],
});

test('endpoints come and go; what stays keeps its connections and numbers', async () => {
  const one = await backend('one');
  const two = await backend('two');
  const bench = keep(startBench(eds));
  assert.is(bench.cluster.chooseHost({}), undefined, 'no endpoints yet');
  bench.clusters.update([eds], [assignment([one.port])]);
  const first = (await send(bench.cluster).done).host;
  bench.clusters.update([eds], [assignment([two.port, one.port])]);
  const hosts = new Set(Array.from({ length: 4 }, () => bench.cluster.chooseHost({})));
  assert.is(hosts.size, 2);
  assert.ok(hosts.has(first!));
  assert.is(bench.gauge('membership_total'), 2);
  bench.clusters.update([eds], [assignment([two.port])]);
  await until('the idle connection of the host that left to end', () => bench.gauge('upstream_cx_active') === 0);
  assert.is(bench.cluster.chooseHost({})?.address, `127.0.0.1:${two.port}`);
});

test('a host that leaves finishes what it does', async () => {
  let answer: () => void = () => {};
  const one = await backend('one');
  one.handler = (_request, response) => {
    answer = () => response.end('late');
  };
  const bench = keep(startBench(eds));
  bench.clusters.update([eds], [assignment([one.port])]);
  const call = send(bench.cluster);
  await until('the request to arrive', () => one.requests === 1);
  bench.clusters.update([eds], [assignment([])]);
  assert.is(bench.cluster.chooseHost({}), undefined);
  answer();
  assert.is((await call.done).body, 'late');
  await until('its connection to end', () => bench.gauge('upstream_cx_active') === 0);
});

test('an unchanged cluster is not touched by an update; a changed one is made anew; a removed one is gone with its stats', async () => {
  const one = await backend('one');
  const config = staticCluster([endpoint(one.port)]);
  const bench = keep(startBench(config));
  const { host } = await send(bench.cluster).done;
  const before = bench.cluster;
  bench.clusters.update([structuredClone(config)], []);
  assert.is(bench.cluster, before);
  assert.is(bench.cluster.chooseHost({}), host);
  bench.clusters.update([{ ...config, connectTimeout: '2s' }], []);
  assert.is.not(bench.cluster, before);
  assert.is(bench.counter('upstream_rq_total'), 1, 'counters go on');
  await until('the old connections to end', () => bench.gauge('upstream_cx_active') === 0);
  bench.clusters.update([], []);
  assert.is(bench.clusters.get('c'), undefined);
  assert.is(statsText(bench.stats, { filter: '^cluster\\.c\\.' }), '');
});

test('clusters named like properties of objects', () => {
  const bench = keep(startBench(staticCluster([endpoint(1)], { name: '__proto__' })));
  assert.is(bench.clusters.get('__proto__')?.name, '__proto__');
  assert.is(bench.clusters.get('constructor'), undefined);
});

test('EDS health leaves hosts out, and the dump tells of it', async () => {
  const bench = keep(startBench(eds));
  bench.clusters.update(
    [eds],
    [
      {
        clusterName: 'svc',
        endpoints: [
          {
            locality: { region: 'r', zone: 'z' },
            lbEndpoints: [
              endpoint(1),
              endpoint(2, { healthStatus: 'UNHEALTHY' }),
              endpoint(3, { healthStatus: 'DRAINING', loadBalancingWeight: 7 }),
            ],
          },
        ],
      },
    ],
  );
  const dump = bench.clusters.dump() as ClustersDump;
  assert.equal(
    dump.clusterStatuses[0]!.hostStatuses!.map((h) => h.healthStatus),
    [{ edsHealthStatus: 'HEALTHY' }, { edsHealthStatus: 'UNHEALTHY' }, { edsHealthStatus: 'DRAINING' }],
  );
  const text = clustersText(dump);
  assert.match(text, 'c::127.0.0.1:1::health_flags::healthy\n');
  assert.match(text, 'c::127.0.0.1:2::health_flags::/failed_eds_health\n');
  assert.match(text, 'c::127.0.0.1:3::health_flags::/eds_status_draining\n');
  assert.match(text, 'c::127.0.0.1:3::weight::7\n');
  assert.match(text, 'c::127.0.0.1:1::zone::z\n');
  assert.is(bench.gauge('membership_healthy'), 1);
  assert.is(bench.gauge('membership_excluded'), 1);
});

test('two 5xx in a row eject, and time brings the host back', async () => {
  const bad = await backend('bad');
  const good = await backend('good');
  bad.handler = (_request, response) => response.writeHead(500).end();
  const outlierDetection = {
    consecutive5xx: 2,
    interval: '0.05s',
    baseEjectionTime: '0.3s',
    maxEjectionPercent: 100,
    enforcingSuccessRate: 0,
  };
  const bench = keep(
    startBench(
      staticCluster([endpoint(bad.port), endpoint(good.port)], { outlierDetection, commonLbConfig: { healthyPanicThreshold: {} } }),
    ),
  );
  const call = async (): Promise<number> => {
    const { host, status } = await send(bench.cluster).done;
    bench.cluster.recordResponse(host!, status, 1);
    return status;
  };
  const first = await Promise.all(Array.from({ length: 4 }, call));
  assert.equal(first.sort(), [200, 200, 500, 500]);
  assert.is(bench.gauge('outlier_detection.ejections_active'), 1);
  for (let i = 0; i < 6; i++) assert.is(await call(), 200);
  assert.is(bad.requests, 2);
  assert.match(clustersText(bench.clusters.dump()), `127.0.0.1:${bad.port}::health_flags::/failed_outlier_check`);
  await until('the host to be back', () => bench.gauge('outlier_detection.ejections_active') === 0);
  const later = await Promise.all([call(), call()]);
  assert.ok(later.includes(500));
});

test('hosts that nobody can connect to are ejected too; with nobody left there is no host', async () => {
  const bench = keep(
    startBench(
      staticCluster([endpoint(1)], {
        outlierDetection: { consecutive5xx: 2, maxEjectionPercent: 100 },
        commonLbConfig: { healthyPanicThreshold: {} },
      }),
    ),
  );
  for (let i = 0; i < 2; i++) assert.is((await send(bench.cluster).done).reset?.flag, 'UF');
  assert.is(bench.cluster.chooseHost({}), undefined);
  assert.is(bench.counter('upstream_cx_none_healthy'), 1);
});

test('a gRPC status in the headers counts for outlier detection as the HTTP status that it stands for', async () => {
  const one = await backend('one');
  const outlierDetection = { consecutiveGatewayFailure: 2, enforcingConsecutiveGatewayFailure: 100, maxEjectionPercent: 100 };
  const bench = keep(startBench(staticCluster([endpoint(one.port)], { outlierDetection, commonLbConfig: { healthyPanicThreshold: {} } })));
  const { host } = await send(bench.cluster).done;
  const answers = (...grpcStatuses: number[]): number => {
    for (const grpcStatus of grpcStatuses) bench.cluster.recordResponse(host!, 200, 1, false, grpcStatus);
    return bench.gauge('outlier_detection.ejections_active');
  };
  // UNAVAILABLE is 503; INTERNAL is 500, no gateway's; NOT_FOUND is the caller's.
  assert.is(answers(14, 13, 14, 5, 14, 0), 0);
  assert.is(answers(14, 4), 1);
  assert.is(bench.counter('upstream_rq_200'), 8);
  assert.match(clustersText(bench.clusters.dump()), '::rq_error::6\n');
});

test('responses that are retried are counted apart', async () => {
  const one = await backend('one');
  const bench = keep(startBench(staticCluster([endpoint(one.port)])));
  const { host } = await send(bench.cluster).done;
  bench.cluster.recordResponse(host!, 503, 7, true);
  bench.cluster.recordResponse(host!, 200, 7, false);
  assert.equal([bench.counter('upstream_rq_503'), bench.counter('upstream_rq_5xx'), bench.counter('upstream_rq_completed')], [0, 0, 1]);
  const retried = ['503', '5xx', 'completed'].map((what) => bench.counter(`retry.upstream_rq_${what}`));
  assert.equal(retried, [1, 1, 1]);
  assert.match(clustersText(bench.clusters.dump()), '::rq_error::1\n');
});

test('responses are counted by code and class, and by host', async () => {
  const one = await backend('one');
  const bench = keep(startBench(staticCluster([endpoint(one.port)], { altStatName: 'outbound|80||a.b;' })));
  const { host } = await send(bench.cluster).done;
  for (const status of [200, 200, 404, 503]) bench.cluster.recordResponse(host!, status, 7);
  assert.is(bench.counter('upstream_rq_200'), 2);
  assert.is(bench.counter('upstream_rq_2xx'), 2);
  assert.is(bench.counter('upstream_rq_5xx'), 1);
  assert.is(bench.counter('upstream_rq_completed'), 4);
  const text = clustersText(bench.clusters.dump());
  assert.match(text, '::rq_success::3\n');
  assert.match(text, '::rq_error::1\n');
  assert.match(text, 'c::observability_name::outbound|80||a.b;\n');
});

test('ORIGINAL_DST goes where the client wanted to go', async () => {
  const one = await backend('one');
  const bench = keep(
    startBench({ name: 'c', type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED', connectTimeout: '1s', cleanupInterval: '0.05s' }),
  );
  const context = { originalDestination: `127.0.0.1:${one.port}` };
  const { host, status } = await send(bench.cluster, { context }).done;
  assert.is(status, 200);
  assert.is(bench.cluster.chooseHost(context), host, 'the same address is the same host');
  assert.is(bench.cluster.chooseHost({}), undefined);
  assert.is(bench.cluster.chooseHost({ originalDestination: 'not an address' }), undefined);
  await until('the unused host to be dropped', () => bench.gauge('membership_total') === 0);
});

test('a dynamic forward proxy goes to the authority', async () => {
  const one = await backend('one');
  const clusterType = {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
      dnsCacheConfig: { name: 'x', dnsLookupFamily: 'V4_ONLY', maxHosts: 2 },
    },
  };
  const bench = keep(startBench({ name: 'c', lbPolicy: 'CLUSTER_PROVIDED', connectTimeout: '1s', clusterType } as ClusterJson));
  assert.is((await send(bench.cluster, { context: { authority: `localhost:${one.port}` } }).done).status, 200);
  const { reset } = await send(bench.cluster, { context: { authority: 'nobody.invalid' } }).done;
  assert.equal(reset, { kind: 'connect-failure', flag: 'DF', detail: 'dns_resolution_failure' });
  assert.is(bench.cluster.chooseHost({ authority: 'third.invalid' }), undefined, 'no more than max_hosts');
});

test('a raw connection counts against max_connections', async () => {
  const server = await rawServer((socket) => socket.pipe(socket));
  closers.push(() => server.close());
  const bench = keep(startBench(staticCluster([endpoint(server.port)], { circuitBreakers: { thresholds: [{ maxConnections: 1 }] } })));
  const host = bench.cluster.chooseHost({})!;
  const socket = await new Promise<import('node:stream').Duplex>((resolve, reject) =>
    bench.cluster.connect(host, { connected: resolve, failed: reject }),
  );
  const reason = await new Promise<{ flag: string }>((resolve) => bench.cluster.connect(host, { connected() {}, failed: resolve }));
  assert.is(reason.flag, 'UO');
  assert.is(bench.counter('upstream_cx_overflow'), 1);
  socket.destroy();
  await until('it to be counted off', () => bench.gauge('upstream_cx_active') === 0);
});

test('the PROXY protocol tells who is there, before anything else', async () => {
  const heard: Buffer[] = [];
  const server = await rawServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (d: Buffer) => {
      chunks.push(d);
      heard[heard.length - 1] = Buffer.concat(chunks);
      if (String(d).includes('GET ')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    heard.push(Buffer.alloc(0));
  });
  closers.push(() => server.close());
  const speaking = (version: 'V1' | 'V2'): Bench => {
    const transportSocket = {
      name: 'envoy.transport_sockets.upstream_proxy_protocol',
      typedConfig: typed('envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
        config: { version },
        transportSocket: { name: 'raw', typedConfig: typed('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer') },
      }),
    };
    const config = staticCluster([endpoint(server.port)], { transportSocket });
    assert.equal(checkCluster(config), []);
    return keep(startBench(config));
  };
  const bench = speaking('V1');
  assert.is((await send(bench.cluster).done).status, 200);
  const [local] = /PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 (\d+) (\d+)\r\nGET /.exec(String(heard[0])) ?? [];
  assert.ok(local?.includes(` ${server.port}\r\n`), String(heard[0]));
  const raw = speaking('V2').cluster;
  const open = (source: string, destination: string): Promise<unknown> =>
    new Promise((connected, failed) => raw.connect(raw.chooseHost({})!, { connected, failed }, { source, destination }));
  await open('192.0.2.7:1234', '198.51.100.9:443');
  await until('the header', () => heard[1]?.length === 28);
  assert.is(heard[1]!.toString('hex'), '0d0a0d0a000d0a515549540a2111000cc0000207c633640904d201bb');
  await open('[2001:db8::7]:1234', '198.51.100.9:443');
  await until('the header', () => heard[2]?.length === 52);
  assert.is(heard[2]!.subarray(12).toString('hex'), '2121002420010db800000000000000000000000700000000000000000000ffffc633640904d201bb');
});

test('closing ends every connection, and may be done again', async () => {
  const server = await rawServer(() => {});
  closers.push(() => server.close());
  const bench = startBench(staticCluster([endpoint(server.port)]));
  const call = send(bench.cluster);
  await until('the request to be sent', () => call.story.events.includes('connected'));
  await bench.clusters.close();
  assert.is((await call.done).reset?.flag, 'UC');
  await bench.clusters.close();
  for (const socket of server.sockets) socket.resume();
  await until('the server to see it', () => [...server.sockets].every((s) => s.readableEnded || s.destroyed));
});

test.run();
