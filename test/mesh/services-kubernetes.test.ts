import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { doc, meshOf, scopeIn, serviceOf } from './fixture.ts';

const host = 'web.default.svc.cluster.local';
const http = 'ports: [{name: http, port: 80, targetPort: 8080}]';

test('name, namespace, VIPs and ports', async () => {
  const mesh = await meshOf(
    doc(
      'Service',
      'web',
      'spec:\n  clusterIP: 10.96.0.1\n  clusterIPs: [10.96.0.1, "fd00::1"]\n  selector: {app: web}\n  ports:\n  - {name: http, port: 80, targetPort: web}\n  - {name: grpc-api, port: 9000}\n  - {name: dns, port: 53, protocol: UDP}',
    ),
  );
  const service = serviceOf(mesh, host);
  assert.is(service.registry, 'Kubernetes');
  assert.is(service.resolution, 'static');
  assert.is(service.external, false);
  assert.equal(service.addresses, ['10.96.0.1', 'fd00::1']);
  assert.equal(service.exportTo, ['*']);
  assert.equal(service.selector, { app: 'web' });
  assert.equal(
    service.ports.map((p) => [p.name, p.number, p.targetPort, p.protocol, p.path]),
    [
      ['http', 80, 'web', 'HTTP', ['spec', 'ports', 0]],
      ['grpc-api', 9000, 9000, 'GRPC', ['spec', 'ports', 1]],
    ],
    'UDP is left out',
  );
});

test('clusterIP None is headless: passthrough, without an address', async () => {
  const service = serviceOf(await meshOf(doc('Service', 'web', `spec:\n  clusterIP: None\n  ${http}`)), host);
  assert.is(service.resolution, 'passthrough');
  assert.is(service.headless, true);
  assert.equal(service.addresses, []);
});

test('internalTrafficPolicy Local', async () => {
  const service = serviceOf(await meshOf(doc('Service', 'web', `spec:\n  internalTrafficPolicy: Local\n  ${http}`)), host);
  assert.is(service.internalTrafficPolicyLocal, true);
});

const annotation = (value: string): string => `annotations: {networking.istio.io/traffic-distribution: ${value}}`;
const distributions: [what: string, spec: string, service: string, namespace: string, result: string][] = [
  ['nothing', '', '', '', 'any'],
  ['the field PreferClose', 'trafficDistribution: PreferClose', '', '', 'zone'],
  ['the field PreferSameZone', 'trafficDistribution: PreferSameZone', '', '', 'zone'],
  ['the field PreferSameNode', 'trafficDistribution: PreferSameNode', '', '', 'node'],
  ['the annotation', '', annotation('PreferClose'), '', 'zone'],
  ["the namespace's annotation", '', '', annotation('PreferSameNode'), 'node'],
  ['the field over the annotation', 'trafficDistribution: PreferClose', annotation('PreferSameNode'), '', 'zone'],
  ["the annotation over the namespace's", '', annotation('PreferClose'), annotation('PreferSameNode'), 'zone'],
];

for (const [what, spec, service, namespace, result] of distributions) {
  test(`traffic distribution by ${what}: ${result}`, async () => {
    const mesh = await meshOf(doc('Namespace', 'default', '', namespace) + doc('Service', 'web', `spec:\n  ${http}\n  ${spec}`, service));
    assert.is(serviceOf(mesh, host).trafficDistribution, result);
  });
}

test('annotation exportTo is a comma list', async () => {
  const mesh = await meshOf(doc('Service', 'web', `spec:\n  ${http}`, 'annotations: {networking.istio.io/exportTo: "., other"}'));
  assert.equal(serviceOf(mesh, host).exportTo, ['default', 'other']);
  assert.ok(scopeIn(mesh, 'other').serviceByHost(host));
  assert.not.ok(scopeIn(mesh, 'third').serviceByHost(host));
});

test('annotations add identities that clients accept', async () => {
  const mesh = await meshOf(
    doc(
      'Service',
      'web',
      `spec:\n  ${http}`,
      'annotations:\n  alpha.istio.io/kubernetes-serviceaccounts: one,two\n  alpha.istio.io/canonical-serviceaccounts: other.domain/ns/x/sa/y',
    ),
  );
  assert.equal(serviceOf(mesh, host).subjectAltNames, [
    'spiffe://other.domain/ns/x/sa/y',
    'spiffe://cluster.local/ns/default/sa/one',
    'spiffe://cluster.local/ns/default/sa/two',
  ]);
});

const alias = (name: string, target: string): string =>
  doc('Service', name, `spec:\n  type: ExternalName\n  externalName: ${target}\n  ports: [{name: http, port: 80}]`);

test('ExternalName services are aliases of what they lead to: chains are flattened, sorted by namespace and host', async () => {
  const mesh = await meshOf(
    doc('Service', 'web', `spec:\n  ${http}`) +
      alias('z.apps', `one.default.svc.cluster.local`) +
      alias('one', `Web.default.svc.cluster.local.`) +
      alias('a.apps', host),
  );
  assert.equal(serviceOf(mesh, host).aliases, [
    { host: 'a.apps.svc.cluster.local', namespace: 'apps' },
    { host: 'z.apps.svc.cluster.local', namespace: 'apps' },
    { host: 'one.default.svc.cluster.local', namespace: 'default' },
  ]);
  const chained = serviceOf(mesh, 'z.apps.svc.cluster.local');
  assert.is(chained.resolution, 'alias');
  assert.is(chained.aliasOf, host);
  assert.is(chained.external, true);
  assert.equal(mesh.endpoints(chained, chained.ports[0]!), []);
});

test('aliases that lead nowhere, or round in a circle, are unknown hosts', async () => {
  const mesh = await meshOf(
    alias('gone', 'nothing.example.com') +
      alias('a', 'b.default.svc.cluster.local') +
      alias('b', 'a.default.svc.cluster.local') +
      doc('Service', 'web', `spec:\n  ${http}`),
  );
  assert.equal(
    scopeIn(mesh).services.map((s) => s.host),
    [host],
  );
  assert.equal(serviceOf(mesh, host).aliases, []);
});

test.run();
