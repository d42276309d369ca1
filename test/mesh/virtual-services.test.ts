import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { normaliseGateway } from '../../src/mesh/gateway-names.ts';
import { doc, meshOf, routerIn, rulesOf, scopeIn } from './fixture.ts';

const svc = doc('Service', 'web', 'spec: {ports: [{name: http, port: 80}]}');
const vs = (name: string, spec: string, created = ''): string =>
  doc(
    'VirtualService',
    name,
    `spec:\n${spec.replace(/^/gm, '  ')}\n  http: [{route: [{destination: {host: web.default.svc.cluster.local}}]}]`,
    created && `creationTimestamp: "${created}"`,
  );

test('short hosts belong to the namespace of the VirtualService; names are lower case', async () => {
  const mesh = await meshOf(svc + vs('a.shop', 'hosts: [Reviews, API.example.com, 10.0.0.1]'));
  assert.equal(scopeIn(mesh).virtualServices[0]?.hosts, ['reviews.shop.svc.cluster.local', 'api.example.com', '10.0.0.1']);
  assert.is(mesh.completeHost('web', 'shop'), 'web.shop.svc.cluster.local');
});

test('gateway references; without any a VirtualService is for the mesh', async () => {
  const mesh = await meshOf(
    svc + vs('a.shop', 'hosts: [a.example.com]\ngateways: [gw, other/gw, mesh]') + vs('b.shop', 'hosts: [b.example.com]'),
  );
  const [a, b] = mesh.scope(routerIn('default')).virtualServices;
  assert.equal(a?.gateways, ['shop/gw', 'other/gw', 'mesh']);
  assert.equal(b?.gateways, ['mesh']);
  assert.equal(
    mesh
      .scope(routerIn('x'))
      .virtualServicesFor('other/gw')
      .map((v) => v.resource.metadata.name),
    ['a'],
  );
});

test('./name is a gateway of the own namespace', () => {
  assert.is(normaliseGateway('./own', 'shop'), 'shop/own');
});

test('the old form of a gateway reference', async () => {
  const mesh = await meshOf(svc + vs('a.shop', 'hosts: [a.example.com]\ngateways: [gw.infra.svc.cluster.local]'));
  assert.equal(mesh.scope(routerIn('default')).virtualServices[0]?.gateways, ['infra/gw']);
});

test('sidecars see what is for the mesh and exported to their namespace', async () => {
  const mesh = await meshOf(
    svc +
      vs('mesh', 'hosts: [a.example.com]') +
      vs('gateway-only', 'hosts: [b.example.com]\ngateways: [gw]') +
      vs('private', 'hosts: [c.example.com]\nexportTo: ["."]') +
      vs('for-shop', 'hosts: [d.example.com]\nexportTo: [shop]'),
  );
  const names = (namespace: string): string[] => scopeIn(mesh, namespace).virtualServices.map((v) => v.resource.metadata.name);
  assert.equal(names('default'), ['private', 'mesh']);
  assert.equal(names('shop'), ['for-shop', 'mesh']);
  assert.equal(names('other'), ['mesh']);
});

test("at a gateway: the namespace's own, then exported to it by name, then public, each oldest first", async () => {
  const at = 'hosts: [a.example.com]\ngateways: [infra/gw]';
  const mesh = await meshOf(
    svc +
      vs('public-old.a', at, '2020-01-01T00:00:00Z') +
      vs('public-young.a', at, '2021-01-01T00:00:00Z') +
      vs('named.a', `${at}\nexportTo: [infra]`, '2022-01-01T00:00:00Z') +
      vs('own.infra', `${at}\nexportTo: ["."]`, '2023-01-01T00:00:00Z') +
      vs('hidden.a', `${at}\nexportTo: ["."]`, '2019-01-01T00:00:00Z'),
  );
  assert.equal(
    mesh
      .scope(routerIn('infra'))
      .virtualServicesFor('infra/gw')
      .map((v) => v.resource.metadata.name),
    ['own', 'named', 'public-old', 'public-young'],
  );
});

test('the oldest comes first: creation time, then name, then namespace', async () => {
  const mesh = await meshOf(
    svc +
      vs('b.x', 'hosts: [b.example.com]') +
      vs('a.q', 'hosts: [c.example.com]') +
      vs('a.x', 'hosts: [a.example.com]') +
      vs('z.x', 'hosts: [z.example.com]', '2020-01-01T00:00:00Z'),
  );
  assert.equal(
    mesh.ofKind('VirtualService').map((r) => `${r.metadata.namespace}/${r.metadata.name}`),
    ['q/a', 'x/a', 'x/b', 'x/z'],
  );
});

test('two VirtualServices of one host for sidecars are reported at the younger, unless nobody sees both', async () => {
  const mesh = await meshOf(
    svc +
      vs('a', 'hosts: [x.example.com, y.example.com]') +
      vs('b', 'hosts: [z.example.com, y.example.com]') +
      vs('c.other', 'hosts: [q.example.com]\nexportTo: ["."]') +
      vs('d.third', 'hosts: [q.example.com]\nexportTo: ["."]'),
  );
  assert.equal(rulesOf(mesh), ['virtual-service/duplicate-host VirtualService default/b spec.hosts[1]']);
  const gateway = await meshOf(svc + vs('a', 'hosts: [x.example.com]\ngateways: [gw]') + vs('b', 'hosts: [x.example.com]\ngateways: [gw]'));
  assert.equal(rulesOf(gateway), [], 'gateways put the routes together');
});

test('destinations that no service has are warnings at their place', async () => {
  const mesh = await meshOf(
    svc +
      doc(
        'VirtualService',
        'a',
        'spec:\n  hosts: [x.example.com]\n  http:\n  - route: [{destination: {host: web}}]\n  - route: [{destination: {host: web}, weight: 1}, {destination: {host: gone}, weight: 1}]\n    mirrors: [{destination: {host: mirror.example.com}}]\n  tcp: [{route: [{destination: {host: db.example.com}}]}]',
      ),
  );
  assert.equal(rulesOf(mesh), [
    'destination/unknown-host VirtualService default/a spec.http[1].route[1].destination.host',
    'destination/unknown-host VirtualService default/a spec.http[1].mirrors[0].destination.host',
    'destination/unknown-host VirtualService default/a spec.tcp[0].route[0].destination.host',
  ]);
  assert.ok(mesh.problems.every((p) => p.severity === 'warning' && p.position !== undefined && p.position.line > 1));
});

test('names of Object.prototype are names like others', async () => {
  const mesh = await meshOf(
    doc('Service', 'constructor', 'spec: {selector: {constructor: toString}, ports: [{name: http, port: 80}]}') +
      doc('WorkloadEntry', 'valueof', 'spec: {address: 10.0.0.1, labels: {constructor: toString}}') +
      doc('WorkloadEntry', 'plain', 'spec: {address: 10.0.0.2}'),
  );
  const service = mesh.services[0]!;
  assert.equal(
    mesh.endpoints(service, service.ports[0]!).map((e) => e.address),
    ['10.0.0.1'],
  );
});

test.run();
