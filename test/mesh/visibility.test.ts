import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isExportedTo, normaliseExportTo } from '../../src/mesh/export-to.ts';
import { doc, meshOf, scopeIn } from './fixture.ts';

const normal: [values: string[] | undefined, defaults: string[] | undefined, result: string[]][] = [
  [undefined, undefined, ['*']],
  [[], ['.'], ['foo']],
  [undefined, ['~'], ['~']],
  [['.'], undefined, ['foo']],
  [['*', 'bar'], undefined, ['*']],
  [['~', '*'], undefined, ['*']],
  [['~', 'bar'], undefined, ['~']],
  [['bar', '.', 'foo'], undefined, ['bar', 'foo']],
];

for (const [values, defaults, result] of normal) {
  test(`exportTo ${JSON.stringify(values)} with defaults ${JSON.stringify(defaults)} in foo is ${JSON.stringify(result)}`, () => {
    assert.equal(normaliseExportTo(values, 'foo', defaults), result);
  });
}

test('who sees what', () => {
  assert.ok(isExportedTo(['*'], 'any'));
  assert.not.ok(isExportedTo(['~'], 'foo'));
  assert.ok(isExportedTo(['foo'], 'foo'));
  assert.not.ok(isExportedTo(['foo'], 'bar'));
});

test("a service without exportTo has the mesh's default", async () => {
  const text = doc('Service', 'web', 'spec: {ports: [{port: 80}]}');
  const mesh = await meshOf(text, { defaultServiceExportTo: ['.'] });
  assert.is(scopeIn(mesh, 'default').services.length, 1);
  assert.is(scopeIn(mesh, 'other').services.length, 0);
});

const se = (name: string, created = '2024-01-01', extra = ''): string =>
  doc(
    'ServiceEntry',
    name,
    `spec:\n  hosts: [web.shop.svc.cluster.local]\n  ports: [{number: 80, name: http, protocol: HTTP}]\n${extra}`,
    `creationTimestamp: "${created}T00:00:00Z"`,
  );
const svc = doc('Service', 'web.shop', 'spec: {ports: [{name: http, port: 80}]}', 'creationTimestamp: "2024-06-01T00:00:00Z"');
const winner = (mesh: Awaited<ReturnType<typeof meshOf>>, namespace: string): string | undefined => {
  const services = scopeIn(mesh, namespace).services;
  assert.is(services.length, 1, 'one service a host');
  const { kind, metadata } = services[0]!.resource;
  return `${kind} ${metadata.namespace}/${metadata.name}`;
};

test('one host in several namespaces: the own one, then Kubernetes, then the oldest', async () => {
  const mesh = await meshOf(se('old.a') + se('young.b', '2024-02-01') + svc);
  assert.is(winner(mesh, 'b'), 'ServiceEntry b/young');
  assert.is(winner(mesh, 'c'), 'Service shop/web');
  const entries = await meshOf(se('old.b') + se('young.a', '2024-02-01'));
  assert.is(winner(entries, 'c'), 'ServiceEntry b/old');
  assert.is(winner(entries, 'a'), 'ServiceEntry a/young');
});

test('one host in one namespace: Kubernetes before an older ServiceEntry', async () => {
  const mesh = await meshOf(se('old.shop') + svc);
  assert.is(winner(mesh, 'shop'), 'Service shop/web');
  assert.equal(
    mesh.problems.map((p) => `${p.rule} ${p.origin}`),
    ['service/duplicate-host ServiceEntry shop/old'],
  );
});

test('what is not exported takes no part in the conflict', async () => {
  const mesh = await meshOf(se('old.a', '2024-01-01', '  exportTo: ["."]\n') + se('young.b', '2024-02-01'));
  assert.is(winner(mesh, 'c'), 'ServiceEntry b/young');
  assert.is(winner(mesh, 'a'), 'ServiceEntry a/old');
});

test('other addresses of one host and namespace stay side by side when all else agrees; a lookup by host has the ports of all', async () => {
  const other = (name: string, address: string, port: number): string =>
    doc(
      'ServiceEntry',
      name,
      `spec:\n  hosts: [db.example.com]\n  addresses: [${address}]\n  ports: [{number: ${port}, name: tcp-${port}, protocol: TCP}]`,
    );
  const mesh = await meshOf(other('a', '10.1.1.1', 1000) + other('b', '10.1.1.2', 2000));
  const scope = scopeIn(mesh);
  assert.equal(
    scope.services.map((s) => s.addresses[0]),
    ['10.1.1.1', '10.1.1.2'],
  );
  assert.equal(
    scope.serviceByHost('db.example.com')?.ports.map((p) => p.number),
    [1000, 2000],
  );
});

test.run();
