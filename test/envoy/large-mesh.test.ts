import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceYaml, sliceYaml } from '../../bench/service-yaml.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Resource } from '../../src/config/resource.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';

const services = 600;

async function read(text: string): Promise<Resource[]> {
  const { resources, problems } = await parseConfig(text, 'mesh.yaml');
  assert.equal(problems, []);
  return resources;
}

const snapshotOf = (mesh: Mesh, previous?: Snapshot): Snapshot =>
  buildSnapshot(mesh, proxiesOf(mesh, { addresses: [], pods: 'none' })[0]!, previous);

/** Names of what is not the object that it was. */
function differing<T extends { name?: string; clusterName?: string }>(now: readonly T[], before: readonly T[]): string[] {
  const old = new Set(before);
  return now.filter((one) => !old.has(one)).map((one) => one.name ?? one.clusterName!);
}

const cases: [what: string, from: string, to: string, changes: { hosts?: string[]; clusters?: string[]; endpoints?: string[] }][] = [
  ['one route', 'timeout: 5s', 'timeout: 6s', { hosts: ['svc-7.ns-7.svc.cluster.local:80', 'svc-7.ns-7.svc.cluster.local:9090'] }],
  [
    'one rule',
    'maxConnections: 100',
    'maxConnections: 99',
    {
      clusters: ['80', '9090'].flatMap((port) => ['v1', 'v2', ''].map((v) => `outbound|${port}|${v}|svc-7.ns-7.svc.cluster.local`)),
    },
  ],
  [
    'one endpoint',
    '10.0.7.2',
    '10.0.7.3',
    {
      // No Pod says which version the addresses are of: the subsets stay empty.
      endpoints: ['80', '9090'].map((port) => `outbound|${port}||svc-7.ns-7.svc.cluster.local`),
    },
  ],
  ['nothing that runs', 'image: registry', 'image: mirror', {}],
];

for (const [what, from, to, { hosts = [], clusters = [], endpoints = [] }] of cases) {
  test(`${what} of ${services} services changes: all other resources stay the objects that they were`, async () => {
    const texts = Array.from({ length: services }, (_, i) => serviceYaml(i) + sliceYaml(i));
    const resources = await read(texts.join(''));
    const mesh = buildMesh(resources);
    const before = snapshotOf(mesh);
    const changed = new Map((await read(texts[7]!.replace(from, to))).map((r) => [`${r.kind} ${r.metadata.name}`, r]));
    const untouched = new Map((await read(texts[7]!)).map((r) => [`${r.kind} ${r.metadata.name}`, r]));
    const after = resources.map((r) => {
      const key = `${r.kind} ${r.metadata.name}`;
      const other = changed.get(key);
      return other && JSON.stringify(other.spec) !== JSON.stringify(untouched.get(key)!.spec) ? other : r;
    });
    const now = snapshotOf(buildMesh(after, { previous: mesh }), before);
    assert.equal(differing(now.listeners, before.listeners), []);
    assert.equal(differing(now.routes, before.routes), hosts.length > 0 ? ['http_proxy'] : []);
    assert.equal(now.routes.flatMap((r, i) => differing(r.virtualHosts ?? [], before.routes[i]!.virtualHosts ?? [])).sort(), hosts);
    assert.equal(differing(now.clusters, before.clusters).sort(), [...clusters].sort());
    assert.equal(differing(now.endpoints, before.endpoints).sort(), [...endpoints].sort());
    assert.is(now.version === before.version, hosts.length + clusters.length + endpoints.length === 0);
  });
}

test.run();
