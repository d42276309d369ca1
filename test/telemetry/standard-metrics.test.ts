/** Istio's standard metrics from records: who is who, what Telemetry changes, how many series there may be. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { familyText } from '../../src/telemetry/metrics/exposition.ts';
import { createStandardMetrics, type StandardMetrics } from '../../src/telemetry/metrics/standard.ts';
import { requestRecord } from '../support/record.ts';
import { snapshotOf } from './support/two-proxies.ts';

const MESH = `
apiVersion: v1
kind: Pod
metadata: { name: web-5f-1, namespace: shop, labels: { app: web, version: v2 } }
spec: { serviceAccountName: web, containers: [{ name: app, ports: [{ containerPort: 8080 }] }] }
status: { podIP: 10.1.0.1, phase: Running }
---
apiVersion: v1
kind: Pod
metadata: { name: client-1, namespace: default, labels: { app: client, app.kubernetes.io/version: "3" } }
spec: { serviceAccountName: buyer, containers: [{ name: app }] }
status: { podIP: 10.1.0.2, phase: Running }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.96.0.1, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp, port: 90, targetPort: 9090 }] }
`;

async function metricsOf(more = '', proxy = 'client-1.default', limit = 100): Promise<{ metrics: StandardMetrics; full: string[] }> {
  const { mesh, snapshot } = await snapshotOf(MESH + more, 15001, proxy);
  const full: string[] = [];
  const metrics = createStandardMetrics({
    mesh: () => mesh,
    proxies: () => [snapshot.proxy],
    limit,
    onFull: (m, n) => full.push(`${m} ${n}`),
  });
  return { metrics, full };
}

const lines = (metrics: StandardMetrics, name: string): string[] =>
  metrics
    .families()
    .map(familyText)
    .join('')
    .split('\n')
    .filter((l) => l.startsWith(`${name}{`));

const labelsOf = (line: string | undefined): Record<string, string> =>
  Object.fromEntries([...(line ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1]!, m[2]!]));

const sent = requestRecord({
  proxy: 'client-1.default',
  authority: 'web.shop',
  upstreamCluster: 'outbound|80||web.shop.svc.cluster.local',
  upstreamHost: '10.1.0.1:8080',
});

test('the caller counts by the endpoint that answered', async () => {
  const { metrics } = await metricsOf();
  metrics.record(sent);
  metrics.record({ ...sent, status: 503, flags: 'UH', upstreamHost: '' });
  const [answered, unanswered] = lines(metrics, 'istio_requests_total').map(labelsOf);
  assert.is(answered?.['destination_workload'], 'web-5f-1');
  assert.is(answered?.['destination_version'], 'v2');
  assert.is(answered?.['destination_service_namespace'], 'shop');
  assert.is(answered?.['source_workload'], 'client-1');
  assert.is(answered?.['source_canonical_revision'], '3');
  assert.is(answered?.['connection_security_policy'], 'unknown');
  assert.is(unanswered?.['destination_workload'], 'unknown', 'nobody answered');
  assert.is(unanswered?.['destination_service'], 'web.shop.svc.cluster.local');
  assert.is(unanswered?.['response_flags'], 'UH');
});

test('a host that nothing knows is named by its cluster, and by its Host header', async () => {
  const { metrics } = await metricsOf();
  metrics.record({ ...sent, authority: 'api.example.com:443', upstreamCluster: 'PassthroughCluster', upstreamHost: '192.0.2.1:443' });
  const [labels] = lines(metrics, 'istio_requests_total').map(labelsOf);
  assert.is(labels?.['destination_service'], 'api.example.com');
  assert.is(labels?.['destination_service_name'], 'PassthroughCluster');
});

test('the server counts by the client’s address, and by its identity where it proved one', async () => {
  const { metrics } = await metricsOf('', 'web-5f-1.shop');
  const received = { ...sent, proxy: 'web-5f-1.shop', direction: 'inbound' as const, upstreamCluster: 'inbound|8080||' };
  metrics.record({ ...received, downstreamRemoteAddress: '10.1.0.2:40000' });
  metrics.record({ ...received, downstreamRemoteAddress: '10.1.0.9:40000' });
  metrics.record({
    ...received,
    downstreamRemoteAddress: '127.0.0.6:1',
    peerPrincipal: 'spiffe://cluster.local/ns/default/sa/buyer',
  });
  const [known, unknown, proven] = lines(metrics, 'istio_requests_total').map(labelsOf);
  assert.is(known?.['reporter'], 'destination');
  assert.is(known?.['source_workload'], 'client-1');
  assert.is(known?.['connection_security_policy'], 'none');
  assert.is(known?.['destination_service'], 'web.shop.svc.cluster.local');
  assert.is(unknown?.['source_workload'], 'unknown');
  assert.is(proven?.['source_workload'], 'client-1');
  assert.is(proven?.['source_principal'], 'spiffe://cluster.local/ns/default/sa/buyer');
  assert.is(proven?.['destination_principal'], 'spiffe://cluster.local/ns/shop/sa/web');
  assert.is(proven?.['connection_security_policy'], 'mutual_tls');
});

test('connections count bytes and ends; gRPC calls count messages', async () => {
  const { metrics } = await metricsOf();
  metrics.record({
    ...sent,
    protocol: 'TCP',
    status: 0,
    bytesReceived: 7,
    bytesSent: 9,
    upstreamCluster: 'outbound|90||web.shop.svc.cluster.local',
  });
  metrics.record({ ...sent, protocol: 'TCP', flags: 'NR', details: 'filter_chain_not_found' });
  const value = (name: string): string[] => lines(metrics, name).map((l) => l.slice(l.lastIndexOf(' ') + 1));
  assert.equal(value('istio_tcp_received_bytes_total'), ['7']);
  assert.equal(value('istio_tcp_sent_bytes_total'), ['9']);
  assert.equal(value('istio_tcp_connections_opened_total'), ['1']);
  assert.equal(value('istio_tcp_connections_closed_total'), ['1']);
  assert.equal(lines(metrics, 'istio_requests_total'), []);
  metrics.record({ ...sent, grpc: true, grpcStatus: 5, grpcRequestMessages: 3, grpcResponseMessages: 0 });
  assert.equal(value('istio_request_messages_total'), ['3']);
  const [call] = lines(metrics, 'istio_requests_total').map(labelsOf);
  assert.is(call?.['request_protocol'], 'grpc');
  assert.is(call?.['grpc_response_status'], '5');
});

test('durations fall into Istio’s buckets', async () => {
  const { metrics } = await metricsOf();
  for (const duration of [0.4, 5, 5.1, 4e6]) metrics.record({ ...sent, duration });
  const buckets = lines(metrics, 'istio_request_duration_milliseconds_bucket').map(
    (l) => `${/le="([^"]*)"/.exec(l)?.[1]} ${l.slice(l.lastIndexOf(' ') + 1)}`,
  );
  assert.equal(buckets.slice(0, 4), ['0.5 1', '1 1', '5 2', '10 3']);
  assert.equal(buckets.slice(-2), ['3600000 3', '+Inf 4']);
  assert.match(lines(metrics, 'istio_request_duration_milliseconds_sum')[0] ?? '', / 4000010.5$/);
});

const telemetry = (name: string, namespace: string, metrics: string): string => `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: ${name}, namespace: ${namespace} }
spec: { metrics: ${metrics} }
`;

test('Telemetry changes tags and turns metrics off, narrower levels last', async () => {
  const wide = telemetry(
    'wide',
    'istio-system',
    `[{ overrides: [{ match: { metric: ALL_METRICS }, tagOverrides: { region: { value: "'north'" }, source_app: { operation: REMOVE } } }, { match: { metric: RESPONSE_SIZE }, disabled: true }] }]`,
  );
  const own = telemetry(
    'own',
    'default',
    `[{ overrides: [{ match: { metric: REQUEST_COUNT, mode: CLIENT }, tagOverrides: { region: { value: "request.headers['x-region']" } } }, { match: { metric: RESPONSE_SIZE, mode: SERVER }, disabled: false }] }]`,
  );
  const { metrics } = await metricsOf(wide + own);
  metrics.record({ ...sent, requestHeaders: { 'x-region': 'south' } });
  metrics.record(sent);
  const counted = lines(metrics, 'istio_requests_total').map(labelsOf);
  assert.equal(
    counted.map((l) => l['region']),
    ['south', 'unknown'],
    'without the header it is unknown',
  );
  assert.is(counted[0]?.['source_app'], undefined);
  assert.is(labelsOf(lines(metrics, 'istio_request_bytes_count')[0])['region'], 'north');
  assert.equal(lines(metrics, 'istio_response_bytes_count'), []);
});

test('metrics of other providers only are none', async () => {
  const { metrics } = await metricsOf(telemetry('elsewhere', 'default', '[{ providers: [{ name: stackdriver }] }]'));
  metrics.record(sent);
  assert.equal(lines(metrics, 'istio_requests_total'), []);
});

test('a tag without end fills one series only, and is told once', async () => {
  const path = telemetry(
    'path',
    'default',
    `[{ overrides: [{ match: { metric: REQUEST_COUNT }, tagOverrides: { path: { value: request.path } } }] }]`,
  );
  const { metrics, full } = await metricsOf(path, undefined, 10);
  for (let i = 0; i < 50; i++) metrics.record({ ...sent, path: `/${i}` });
  const found = lines(metrics, 'istio_requests_total');
  assert.is(found.length, 11);
  assert.is(found.at(-1), 'istio_requests_total{fairlead_overflow="true"} 40');
  assert.equal(full, ['istio_requests_total 10']);
  assert.is(metrics.overflowed(), 40);
  metrics.record({ ...sent, path: '/3' });
  assert.ok(
    lines(metrics, 'istio_requests_total').some((l) => l.includes('path="/3"') && l.endsWith(' 2')),
    'series that are there go on',
  );
});

test.run();
