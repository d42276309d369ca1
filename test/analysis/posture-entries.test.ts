/** The security summary of WorkloadEntries: what stands in front of their ports, and what that makes of policies. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analysisModel } from '../../src/analysis/model/analysis-model.ts';
import { securityPosture } from '../../src/analysis/posture/posture.ts';
import type { Posture } from '../../src/analysis/posture/types.ts';
import { loadForAnalysis } from '../../src/cli/load-analysis.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import { textFile } from '../../src/config/text-file.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import { listenerPlace } from '../../src/explain/listener.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { everyProxy } from '../../src/mesh/proxies.ts';
import { formatPosture } from '../../src/output/findings/posture.ts';
import { client, secured, service, workload } from '../support/mesh.ts';

async function postureOf(...texts: string[]): Promise<Posture> {
  const { resources, meshConfig } = await parseFiles([textFile('mesh.yaml', texts.join(''))]);
  return securityPosture(analysisModel({ resources, meshConfig }));
}

/** `name:port mode parts of the score`, sorted. */
const summary = ({ ports }: Posture): string[] =>
  ports
    .map(
      ({ workload: name, port, mtls, points }) =>
        `${name.replace('WorkloadEntry default/', '')}:${port} ${mtls.mode} ${points.map((p) => p.points).join(' + ')}`,
    )
    .sort();

const object = (group: string, kind: string, name: string, spec: string): string =>
  `---\napiVersion: ${group}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const security = (kind: string, name: string, spec: string): string => object('security.istio.io/v1', kind, name, spec);
const networking = (kind: string, name: string, spec: string): string => object('networking.istio.io/v1', kind, name, spec);

const strict = security('PeerAuthentication', 'payments', '{ selector: { matchLabels: { app: payments } }, mtls: { mode: STRICT } }');
const policy = readFileSync(new URL('../acceptance/meshes/payments-authorization.yaml', import.meta.url), 'utf8');
const entry = (more: string): string =>
  networking('WorkloadEntry', 'payments', `{ address: 127.0.0.1, ports: { http: 7001 }, labels: { app: payments }${more} }`);
const [plainly, known] = [entry(''), entry(', serviceAccount: payments')];
const captured = known.replace('{ name: payments }', '{ name: payments, annotations: { sidecar.istio.io/interceptionMode: REDIRECT } }');

test('payments behind its proxy: one identity, by mutual TLS alone; its clients are named', async () => {
  const posture = await postureOf(policy, service('payments'), secured('payments', 7001, 7002), client('billing'), strict);
  assert.equal(summary(posture), ['payments:7001 STRICT 40 + 40 + 20']);
  const [port] = posture.ports;
  assert.is(port?.identity, 'spiffe://cluster.local/ns/default/sa/payments');
  assert.equal(port?.access.who, ['billing.myapp.com']);
  assert.equal(port?.services, ['default/payments:80']);
  assert.equal(posture.clientsOnly, [
    { workload: 'WorkloadEntry default/billing', namespace: 'default', identity: 'spiffe://cluster.local/ns/default/sa/billing' },
  ]);
  assert.match(formatPosture(posture, 80), /call others only:\n {2}WorkloadEntry default\/billing, as spiffe:/);
});

test('where calls go past the proxy nothing that policies say holds, and that is said with their places', async () => {
  const posture = await postureOf(policy, service('payments'), known, strict);
  assert.equal(summary(posture), ['payments:7001 unguarded 0 + 0 + 20']);
  const [port] = posture.ports;
  assert.is(port?.access.callers, 'everyone');
  assert.equal(
    port?.points.map(({ references }) => references.map(({ origin, path }) => `${origin} ${path}`)),
    [
      ['WorkloadEntry default/payments spec.address', 'PeerAuthentication default/payments spec.mtls.mode'],
      ['AuthorizationPolicy default/payments-to-billing spec'],
      [],
    ],
  );
  const text = formatPosture(posture, 80);
  assert.match(text, '0/40 mutual TLS: STRICT is not enforced: calls go past its proxy, plain text');
  assert.match(text, /0\/40 callers: no policy is enforced there/);
  assert.match(text, /1 port is unguarded: .*A\sSidecar\swhose\singress\shas\sthe\sport/s);
});

test('a proxy that captures traffic, or whose Sidecar has the port, is in front', async () => {
  assert.equal(summary(await postureOf(policy, service('payments'), captured, strict)), ['payments:7001 STRICT 40 + 40 + 20']);
  assert.equal(summary(await postureOf(policy, service('payments'), secured('payments', 7001, 7002))), [
    'payments:7001 PERMISSIVE 15 + 25 + 20',
  ]);
  // Only the port that the ingress has, and with no service that leads to it as well.
  const two = secured('payments', 7001, 7002).replace('http":7001', 'http":7005');
  assert.equal(summary(await postureOf(service('payments'), two, strict)), [
    'payments:7001 STRICT 40 + 0 + 20',
    'payments:7005 unguarded 0 + 0 + 20',
  ]);
});

test('an Istio proxy that demands mutual TLS of clients that see no identity refuses them', async () => {
  const failing = captured.replace(', serviceAccount: payments', '');
  const [port] = (await postureOf(service('payments'), failing, strict)).ports;
  assert.is(port?.clients.conflict, true);
  assert.is(port?.clients.references[0]?.origin, 'WorkloadEntry default/payments');
  assert.match(
    formatPosture(await postureOf(service('payments'), failing, strict), 200),
    /plain text to it, as it names no serviceAccount: their calls fail/,
  );
  const [fine] = (await postureOf(service('payments'), captured, strict)).ports;
  assert.is(fine?.clients.conflict, false);
  assert.is((await postureOf(service('payments'), plainly)).ports[0]?.clients.conflict, false, 'nothing demands it');
});

const gateway = (hosts: string): string =>
  networking(
    'Gateway',
    'public',
    `{ selector: { istio: g }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ${hosts} }] }`,
  );
const route = (http: string): string =>
  networking('VirtualService', 'api', `{ hosts: [api.example.com], gateways: [public], http: [${http}] }`);
const versions = [
  service('api'),
  workload('v1', { app: 'api', version: 'v1' }, 7001),
  workload('v2', { app: 'api', version: 'v2' }, 7002),
  networking('DestinationRule', 'api', '{ host: api, subsets: [{ name: v1, labels: { version: v1 } }] }'),
].join('');

/** The workloads that the outside gets to, and by which objects. */
const outside = ({ ports }: Posture): string[] =>
  ports
    .flatMap(({ workload: name, exposures }) =>
      exposures.map(({ references }) => `${name}: ${references.map((r) => r.origin).join(' > ')}`),
    )
    .sort();

test('a gateway lets in to the workloads of the subset that a route names, through delegates too', async () => {
  const v1 = 'WorkloadEntry default/v1: Gateway default/public > VirtualService default/api';
  assert.equal(outside(await postureOf(versions, gateway('["*"]'), route('{ route: [{ destination: { host: api, subset: v1 } }] }'))), [
    v1,
  ]);
  assert.equal(outside(await postureOf(versions, gateway('["*"]'), route('{ route: [{ destination: { host: api } }] }'))), [
    v1,
    v1.replace('v1', 'v2'),
  ]);
  const inner = networking('VirtualService', 'inner', '{ http: [{ route: [{ destination: { host: api, subset: v1 } }] }] }');
  assert.equal(outside(await postureOf(versions, gateway('["*"]'), inner, route('{ delegate: { name: inner } }'))), [
    v1.replace('default/api', 'default/inner'),
  ]);
  const toNobody = await postureOf(versions, gateway('["elsewhere/*"]'), route('{ route: [{ destination: { host: api } }] }'));
  assert.equal(outside(toNobody), [], 'the server takes routes of another namespace');
});

test('a gateway of the Gateway API and a ServiceEntry’s workloads count as well', async () => {
  const kubernetes = [
    object(
      'gateway.networking.k8s.io/v1',
      'Gateway',
      'edge',
      '{ gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }',
    ),
    object(
      'gateway.networking.k8s.io/v1',
      'HTTPRoute',
      'api',
      '{ parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name: api, port: 80 }] }] }',
    ),
  ];
  assert.equal(outside(await postureOf(versions, ...kubernetes)), [
    'WorkloadEntry default/v1: Gateway default/edge > HTTPRoute default/api',
    'WorkloadEntry default/v2: Gateway default/edge > HTTPRoute default/api',
  ]);
  const host = networking(
    'ServiceEntry',
    'api',
    '{ hosts: [api.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP }], workloadSelector: { labels: { app: api } } }',
  );
  const posture = await postureOf(
    host,
    workload('v1', { app: 'api' }, 7001),
    gateway('["*"]'),
    route('{ route: [{ destination: { host: api.internal } }] }'),
  );
  assert.equal(outside(posture), ['WorkloadEntry default/v1: Gateway default/public > VirtualService default/api']);
  assert.equal(posture.ports[0]?.services, ['api.internal:80']);
});

test('the shop: only payments is guarded, visitors get to the first version, and the tables fit', async () => {
  const folder = new URL('../../examples/shop/mesh', import.meta.url).pathname;
  const posture = securityPosture(analysisModel(await loadForAnalysis([folder])));
  const guarded = posture.ports.filter(({ mtls }) => mtls.mode !== 'unguarded');
  assert.equal(
    guarded.map(({ workload: name, score }) => `${name} ${score}`),
    ['WorkloadEntry default/payments 100'],
  );
  const reached = new Set(posture.ports.filter(({ exposures }) => exposures.length > 0).map(({ workload: name }) => name));
  assert.ok(reached.has('WorkloadEntry default/catalog-v1'));
  assert.not.ok(reached.has('WorkloadEntry default/catalog-v2'));
  for (const width of [80, 120, 200]) {
    const text = formatPosture(posture, width);
    const long = text.split('\n').filter((line) => line.length > width && !line.includes(folder));
    assert.equal(long, []);
    assert.match(text, /^5 +(?:WorkloadEntry )?default\/catalog-v1 {3}/m);
  }
});

test('a port is called guarded exactly where the configuration of its proxy has a listener', async () => {
  const folder = new URL('../../examples/shop/mesh', import.meta.url).pathname;
  const loaded = await loadForAnalysis([folder]);
  const mesh = buildMesh(loaded.resources);
  const bound = new Set(
    everyProxy(mesh).flatMap((proxy) =>
      buildSnapshot(mesh, proxy).listeners.map(
        (listener) => `WorkloadEntry ${proxy.namespace}/${proxy.name} ${listenerPlace(listener).port}`,
      ),
    ),
  );
  const { ports } = securityPosture(analysisModel(loaded));
  for (const { workload: name, port, mtls } of ports) assert.is(mtls.mode !== 'unguarded', bound.has(`${name} ${port}`), `${name} ${port}`);
});

test.run();
