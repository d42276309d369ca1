import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resource } from '../../src/config/resource.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { addressesOf, doc, resourcesOf, scopeIn, serviceOf } from './fixture.ts';

const web = 'web.default.svc.cluster.local';
const other = 'other.default.svc.cluster.local';
const slice = (name: string, service: string, address: string): string =>
  doc(
    'EndpointSlice',
    name,
    `addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints: [{addresses: [${address}]}]`,
    `labels: {kubernetes.io/service-name: ${service}}`,
  );
const svc = (name: string, more = ''): string =>
  doc('Service', name, `spec:\n  selector: {app: ${name}}\n  ports: [{name: http, port: 80}]\n${more}`);
const pod = (name: string, app: string, ip: string, more = ''): string =>
  doc('Pod', name, `spec: {containers: [{name: c}]}\nstatus: {podIP: ${ip}}`, `labels: {app: ${app}${more}}`);
const se = (address: string, more = ''): string =>
  doc(
    'ServiceEntry',
    'se',
    `spec:\n  hosts: [se.example.com]\n  resolution: STATIC\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  endpoints: [{address: ${address}}]\n${more}`,
  );
const base =
  svc('web') +
  svc('other') +
  svc('headless', '  clusterIP: None\n') +
  slice('web-1', 'web', '10.0.0.1') +
  slice('other-1', 'other', '10.0.0.2') +
  slice('headless-1', 'headless', '10.0.0.3') +
  se('10.5.0.1') +
  pod('a', 'app', '10.7.0.1');

/** The mesh after some objects were replaced by what `text` has of the same kind and name, and others added. */
async function after(text: string, without: string[] = [], start = base): Promise<{ before: Mesh; next: Mesh; fresh: Mesh }> {
  const first = await resourcesOf(start);
  const before = buildMesh(first);
  // Whatever is computed lazily is there before the change.
  for (const service of before.services) for (const port of service.ports) before.endpoints(service, port);
  scopeIn(before);
  const changed = await resourcesOf(text);
  const key = (r: Resource): string => `${r.kind}/${r.metadata.name}`;
  const replaced = new Map(changed.map((r) => [key(r), r]));
  const resources = first.filter((r) => !without.includes(key(r))).map((r) => replaced.get(key(r)) ?? r);
  resources.push(...changed.filter((r) => !first.some((f) => key(f) === key(r))));
  return { before, next: buildMesh(resources, { previous: before }), fresh: buildMesh(resources) };
}

/** Everything that endpoints and services say, for comparing an updated mesh with one built anew. */
function picture(mesh: Mesh): unknown {
  return {
    services: mesh.services.map((s) => [s.host, s.ports.map((p) => [p.number, mesh.endpoints(s, p).map(({ resource, ...e }) => e)])]),
    workloads: mesh.workloads.map(({ resource, ...w }) => w),
    problems: mesh.problems.map((p) => [p.rule, p.path]),
    resources: mesh.resources.length,
  };
}

type Case = [what: string, text: string, without: string[], keeps: boolean];
const cases: Case[] = [
  ['a slice changed', slice('web-1', 'web', '10.0.0.9'), [], true],
  ['a slice was added', slice('web-2', 'web', '10.0.0.9'), [], true],
  ['a slice is gone', '', ['EndpointSlice/web-1'], true],
  ['a slice moved to another service', slice('web-1', 'other', '10.0.0.1'), [], true],
  ['endpoints of a ServiceEntry changed', se('10.5.0.2'), [], true],
  ['a pod came', pod('b', 'web', '10.7.0.2'), [], true],
  ['a pod went', '', ['Pod/a'], true],
  ['an entry came', doc('WorkloadEntry', 'w', 'spec: {address: 10.8.0.1, labels: {app: web}}'), [], true],
  [
    'an Endpoints object came',
    doc('Endpoints', 'web', 'subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8080}]}]'),
    [],
    true,
  ],
  ['a Deployment came', doc('Deployment', 'd', 'spec: {selector: {}, template: {spec: {containers: [{name: c}]}}}'), [], true],
  ['a slice of a headless service changed: it has a listener for each endpoint', slice('headless-1', 'headless', '10.0.0.9'), [], false],
  ['a pod has other labels: its own proxy is another', pod('a', 'web', '10.7.0.1'), [], false],
  ['a ServiceEntry names the address of a workload: its inbound side changes', se('10.7.0.1'), [], false],
  ['more of a ServiceEntry changed', se('10.5.0.1', '  location: MESH_INTERNAL\n'), [], false],
  ['a service changed', svc('web', '  internalTrafficPolicy: Local\n'), [], false],
  ['a service came', svc('new'), [], false],
  ['a service went', '', ['Service/web'], false],
  ['a VirtualService came', doc('VirtualService', 'v', 'spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}'), [], false],
];

for (const [what, text, without, keeps] of cases) {
  test(`${what}: routing is ${keeps ? 'kept' : 'new'}, and the mesh is as one built anew`, async () => {
    const { before, next, fresh } = await after(text, without);
    assert.is(next.routingVersion === before.routingVersion, keeps);
    assert.equal(picture(next), picture(fresh));
    if (keeps) {
      assert.is(next.services, before.services);
      assert.is(scopeIn(next).services, scopeIn(before).services);
    }
  });
}

test('endpoints of other services are the same objects', async () => {
  const { before, next } = await after(slice('web-1', 'web', '10.0.0.9'));
  const of = (mesh: Mesh, host: string) => mesh.endpoints(serviceOf(mesh, host), serviceOf(mesh, host).ports[0]!);
  assert.is(of(next, other), of(before, other));
  assert.is.not(of(next, web), of(before, web));
  assert.equal(addressesOf(before, web), ['10.0.0.1:8080'], 'the mesh before is not changed');
  assert.equal(addressesOf(next, web), ['10.0.0.9:8080']);
});

test('changes follow one another: a ServiceEntry changes its endpoints twice, and back', async () => {
  const first = await resourcesOf(base);
  let mesh = buildMesh(first);
  const version = mesh.routingVersion;
  let resources = first;
  for (const address of ['10.5.0.2', '10.5.0.3', '10.5.0.1']) {
    const [changed] = await resourcesOf(se(address));
    resources = resources.map((r) => (r.kind === 'ServiceEntry' ? changed! : r));
    mesh = buildMesh(resources, { previous: mesh });
    assert.equal(addressesOf(mesh, 'se.example.com'), [`${address}:80`]);
    assert.is(mesh.routingVersion, version);
    assert.is(mesh.ofKind('ServiceEntry')[0], changed, 'the newest resource is the one that is found');
  }
});

test('a node’s new locality is a new mesh; its heartbeat is not', async () => {
  const node = (zone: string, beat: string): string =>
    `${doc('Node', 'n1', '', `labels: {topology.kubernetes.io/zone: ${zone}}`)}status: {beat: "${beat}"}\n`;
  const start = base + node('z1', '1');
  assert.is((await after(node('z1', '2'), [], start)).next.services.length, 4);
  const beat = await after(node('z1', '2'), [], start);
  assert.is(beat.next.routingVersion, beat.before.routingVersion);
  const moved = await after(node('z2', '1'), [], start);
  assert.is.not(moved.next.routingVersion, moved.before.routingVersion);
});

test('another MeshConfig is another mesh; an equal one is not', async () => {
  const resources = await resourcesOf(base);
  const before = buildMesh(resources, { meshConfig: { connectTimeout: '1s' } });
  assert.is(buildMesh([...resources], { meshConfig: { connectTimeout: '1s' }, previous: before }).routingVersion, before.routingVersion);
  assert.is.not(buildMesh(resources, { meshConfig: { connectTimeout: '2s' }, previous: before }).routingVersion, before.routingVersion);
});

test('proxies of unchanged workloads are the same objects after an endpoint change', async () => {
  const { before, next } = await after(slice('web-1', 'web', '10.0.0.9'));
  const host = { addresses: [], pods: 'all' as const };
  const [one] = proxiesOf(before, host);
  assert.is(proxiesOf(next, host)[0], one);
});

test('two resources of one name: the first counts, the second is an error', async () => {
  const [first] = await resourcesOf(svc('web'));
  const [second] = await resourcesOf(svc('web', '  clusterIP: 10.9.9.9\n'));
  const mesh = buildMesh([first!, second!]);
  assert.equal(mesh.services[0]?.addresses, []);
  assert.equal(
    mesh.problems.map((p) => `${p.severity} ${p.rule}`),
    ['error resource/duplicate'],
  );
});

test.run();
