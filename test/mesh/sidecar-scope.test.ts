import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatPath } from '../../src/config/resource.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { doc, meshOf, routerIn, rulesOf, scopeIn } from './fixture.ts';

const svc = (name: string, ports = '[{name: http, port: 80}]'): string => doc('Service', name, `spec: {ports: ${ports}}`);
const services =
  svc('web.shop') + svc('cart.shop') + svc('own.client') + svc('pay.bank', '[{name: http, port: 80}, {name: grpc, port: 9000}]');
const sidecar = (name: string, spec: string, created = ''): string =>
  doc('Sidecar', name, `spec:\n${spec.replace(/^/gm, '  ')}`, created && `creationTimestamp: "${created}"`);
const egress = (hosts: string): string => sidecar('default.client', `egress: [{hosts: [${hosts}]}]`);
const short = (services: readonly { host: string }[]): string[] => services.map((s) => s.host.replace('.svc.cluster.local', '')).sort();
const seen = (mesh: Mesh, namespace = 'client', labels = {}): string[] => short(scopeIn(mesh, namespace, labels).services);

const imports: [hosts: string, seen: string[]][] = [
  ['"*/*"', ['cart.shop', 'own.client', 'pay.bank', 'web.shop']],
  ['"./*"', ['own.client']],
  ['"shop/*"', ['cart.shop', 'web.shop']],
  ['"shop/web.shop.svc.cluster.local"', ['web.shop']],
  ['"*/web.shop.svc.cluster.local"', ['web.shop']],
  ['"bank/web.shop.svc.cluster.local"', []],
  ['"*/*.shop.svc.cluster.local", "./*"', ['cart.shop', 'own.client', 'web.shop']],
  ['"~/*"', []],
  ['"*/*", "~shop/*"', ['own.client', 'pay.bank']],
  ['"*/*", "~shop/web.shop.svc.cluster.local"', ['cart.shop', 'own.client', 'pay.bank']],
  ['"*/*", "~/*.shop.svc.cluster.local"', ['own.client', 'pay.bank']],
];

for (const [hosts, expected] of imports) {
  test(`egress hosts ${hosts} import ${expected.join(', ') || 'nothing'}`, async () => {
    assert.equal(seen(await meshOf(services + egress(hosts))), expected);
  });
}

test('without a Sidecar a proxy sees all that is exported to it', async () => {
  const mesh = await meshOf(services);
  const scope = scopeIn(mesh, 'client');
  assert.is(scope.sidecar, undefined);
  assert.is(scope.services.length, 4);
  assert.is(scope.egress.length, 1);
  assert.is(scope.egress[0]?.port, undefined);
  assert.is(scope.outboundTrafficPolicy.mode, 'ALLOW_ANY');
});

test('selection: a matching selector, the namespace, the root namespace; gateways have none', async () => {
  const one = (name: string, more = '', created = ''): string => sidecar(name, `${more}egress: [{hosts: ["./*"]}]`, created);
  const select = 'workloadSelector: {labels: {app: x}}\n';
  const mesh = await meshOf(
    services +
      one('root.istio-system') +
      one('old.client', select, '2020-01-01T00:00:00Z') +
      one('a-young.client', select, '2021-01-01T00:00:00Z') +
      one('plain.client') +
      one('zweiter.client'),
  );
  const name = (namespace: string, labels = {}): string | undefined => scopeIn(mesh, namespace, labels).sidecar?.metadata.name;
  assert.is(name('client', { app: 'x', other: 'y' }), 'old');
  assert.is(name('client', { app: 'z' }), 'plain');
  assert.is(name('shop'), 'root');
  assert.is(mesh.scope(routerIn('client', { app: 'x' })).sidecar, undefined);
  assert.equal(rulesOf(mesh), ['sidecar/duplicate Sidecar client/zweiter spec']);
});

test("a Sidecar of the root namespace is read in the proxy's own: `.` is the proxy's namespace", async () => {
  const mesh = await meshOf(services + sidecar('root.istio-system', 'egress: [{hosts: ["./*"]}]'));
  assert.equal(seen(mesh, 'shop'), ['cart.shop', 'web.shop']);
});

test('a listener with a port imports services with that port, and only it; HTTP_PROXY all', async () => {
  const mesh = await meshOf(
    services +
      sidecar(
        'default.client',
        'egress:\n- port: {number: 9000, protocol: GRPC, name: grpc}\n  bind: 127.0.0.1\n  captureMode: NONE\n  hosts: ["*/*"]\n- port: {number: 3128, protocol: HTTP_PROXY, name: proxy}\n  hosts: ["shop/*"]\n- hosts: ["./*"]',
      ),
  );
  const { egress, services: all } = scopeIn(mesh, 'client');
  assert.equal(
    egress.map((l) => [l.port?.number, l.port?.protocol, l.bind, l.captureMode, short(l.services), l.path && formatPath(l.path)]),
    [
      [9000, 'GRPC', '127.0.0.1', 'NONE', ['pay.bank'], 'spec.egress[0]'],
      [3128, 'HTTP_PROXY', undefined, 'DEFAULT', ['cart.shop', 'web.shop'], 'spec.egress[1]'],
      [undefined, undefined, undefined, 'DEFAULT', ['own.client'], 'spec.egress[2]'],
    ],
  );
  assert.equal(
    egress[0]?.services[0]?.ports.map((p) => p.number),
    [9000],
  );
  assert.equal(short(all), ['cart.shop', 'own.client', 'pay.bank', 'web.shop']);
  assert.equal(
    all.find((s) => s.host.startsWith('pay'))?.ports.map((p) => p.number),
    [9000],
  );
});

test('ports that several listeners import are united, and still have their endpoints', async () => {
  const mesh = await meshOf(
    doc('Service', 'pay.bank', 'spec: {ports: [{name: http, port: 80}, {name: grpc, port: 9000}, {name: tcp, port: 7}]}') +
      doc(
        'Endpoints',
        'pay.bank',
        'subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8080}, {name: grpc, port: 9090}]}]',
      ) +
      sidecar(
        'default.client',
        'egress:\n- {port: {number: 80, protocol: HTTP, name: a}, hosts: ["*/*"]}\n- {port: {number: 9000, protocol: GRPC, name: b}, hosts: ["*/*"]}',
      ),
  );
  const [pay] = scopeIn(mesh, 'client').services;
  assert.equal(
    pay?.ports.map((p) => `${p.number} ${mesh.endpoints(pay, p).map((e) => `${e.address}:${e.port}`)}`),
    ['80 10.0.0.1:8080', '9000 10.0.0.1:9090'],
  );
});

const vs = (name: string, host: string, to: string): string =>
  doc('VirtualService', name, `spec:\n  hosts: [${host}]\n  http: [{route: [{destination: {host: ${to}}}]}]`);

test('destinations of imported VirtualServices come along, for clusters only', async () => {
  const mesh = await meshOf(services + vs('v.shop', 'web', 'pay.bank.svc.cluster.local') + egress('"shop/web.shop.svc.cluster.local"'));
  const scope = scopeIn(mesh, 'client');
  assert.equal(short(scope.services), ['pay.bank', 'web.shop']);
  assert.equal(short(scope.egress[0]?.services ?? []), ['web.shop']);
  assert.equal(
    scope.virtualServices.map((v) => v.resource.metadata.name),
    ['v'],
  );
});

test('a destination with a port brings that port alone', async () => {
  const to = 'pay.bank.svc.cluster.local, port: {number: 9000}';
  const mesh = await meshOf(services + vs('v.shop', 'web', to) + egress('"shop/web.shop.svc.cluster.local"'));
  const pay = scopeIn(mesh, 'client').services.find((s) => s.host.startsWith('pay'));
  assert.equal(
    pay?.ports.map((p) => p.number),
    [9000],
  );
});

test('VirtualServices are imported when their hosts and the egress hosts have something in common', async () => {
  const mesh = await meshOf(
    services +
      vs('exact.shop', 'web', 'web') +
      vs('wide.shop', '"*.example.com"', 'web') +
      vs('apart.bank', 'web.shop.svc.cluster.local', 'pay') +
      egress('"shop/web.shop.svc.cluster.local", "*/a.example.com"'),
  );
  assert.equal(
    scopeIn(mesh, 'client').virtualServices.map((v) => v.resource.metadata.name),
    ['exact', 'wide'],
  );
});

test('aliases follow the egress hosts one by one', async () => {
  const alias = (name: string): string => doc('Service', name, 'spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}');
  const mesh = await meshOf(
    svc('web.shop') + alias('a.shop') + alias('b.shop') + egress('"shop/web.shop.svc.cluster.local", "shop/a.shop.svc.cluster.local"'),
  );
  assert.equal(scopeIn(mesh, 'client').serviceByHost('web.shop.svc.cluster.local')?.aliases, [
    { host: 'a.shop.svc.cluster.local', namespace: 'shop' },
  ]);
});

test('ingress, and what becomes of unknown destinations', async () => {
  const mesh = await meshOf(
    services +
      sidecar(
        'default.client',
        'ingress: [{port: {number: 9080, protocol: HTTP, name: http}, defaultEndpoint: "127.0.0.1:8080"}]\negress: [{hosts: ["./*"]}]\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}',
      ),
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } },
  );
  const scope = scopeIn(mesh, 'client');
  assert.is(scope.ingress?.[0]?.defaultEndpoint, '127.0.0.1:8080');
  assert.is(scope.outboundTrafficPolicy.mode, 'REGISTRY_ONLY');
  assert.is(scopeIn(mesh, 'shop').ingress, undefined);
});

test('scopes of proxies with the same Sidecar share what they have in common', async () => {
  const mesh = await meshOf(services);
  assert.is(scopeIn(mesh, 'client', { a: '1' }).services, scopeIn(mesh, 'client', { a: '2' }).services);
});

test.run();
