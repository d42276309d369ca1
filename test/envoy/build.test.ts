import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Resource } from '../../src/config/resource.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';

const slice = (name: string, address: string): string => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: default, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints: [{ addresses: [${address}], conditions: { ready: true } }]
`;

const service = (name: string, ip: string, port = 'http'): string => `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { clusterIP: ${ip}, ports: [{ name: ${port}, port: 80, targetPort: 8080 }] }
`;

const client = `---
apiVersion: v1
kind: Pod
metadata: { name: client, namespace: default }
spec: { containers: [{ name: app }] }
status: { podIP: 10.1.0.1, phase: Running }
`;

const timeout = (seconds: number): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec: { hosts: [reviews], http: [{ timeout: ${seconds}s, route: [{ destination: { host: reviews } }] }] }
`;

async function read(text: string): Promise<Resource[]> {
  const { resources, problems } = await parseConfig(text, 'mesh.yaml');
  assert.equal(problems, []);
  return resources;
}

/** `resources` with the ones of `text` in the place of those of the same kind and name. */
async function replaced(resources: readonly Resource[], text: string): Promise<Resource[]> {
  const key = (r: Resource): string => `${r.kind} ${r.metadata.name}`;
  const fresh = new Map((await read(text)).map((r) => [key(r), r]));
  return resources.map((r) => fresh.get(key(r)) ?? r);
}

function proxyOf(mesh: Mesh): ProxyNode {
  const proxy = findProxy(mesh, 'client.default');
  if ('candidates' in proxy) throw new Error(`no client among ${proxy.candidates.join()}`);
  return proxy;
}

const next = (mesh: Mesh, previous?: Snapshot): Snapshot => buildSnapshot(mesh, proxyOf(mesh), previous);
const base =
  client + service('reviews', '10.96.0.1') + service('ratings', '10.96.0.2') + slice('reviews', '10.1.0.5') + slice('ratings', '10.1.0.6');

test('the same configuration gives the same version, another one another', async () => {
  const one = next(buildMesh(await read(base + timeout(1))));
  const same = next(buildMesh(await read(base + timeout(1))));
  const other = next(buildMesh(await read(base + timeout(2))));
  assert.is(one.version, same.version);
  assert.is.not(one.version, other.version);
});

test('an endpoint change keeps listeners, routes, clusters, and the endpoints of other services', async () => {
  const resources = await read(base);
  const mesh = buildMesh(resources);
  const before = next(mesh);
  const moved = await replaced(resources, slice('reviews', '10.1.0.7'));
  const mesh2 = buildMesh(moved, { previous: mesh });
  const after = next(mesh2, before);
  assert.is(after.listeners, before.listeners);
  assert.is(after.routes, before.routes);
  assert.is(after.clusters, before.clusters);
  const changed = after.endpoints.filter((e, i) => e !== before.endpoints[i]).map((e) => e.clusterName);
  assert.equal(changed, ['outbound|80||reviews.default.svc.cluster.local']);
  assert.is.not(after.version, before.version);
  assert.match(JSON.stringify(after.endpoints), '10.1.0.7');
  assert.equal(after.endpoints, next(buildMesh(moved)).endpoints, 'as if made from nothing');
  const back = next(buildMesh(resources, { previous: mesh2 }), after);
  assert.is(back.version, before.version, 'the old endpoints have the old version');
});

test('nothing changed: the snapshot keeps every list and its version', async () => {
  const mesh = buildMesh(await read(base));
  const before = next(mesh);
  const after = next(mesh, before);
  assert.is(after.endpoints, before.endpoints);
  assert.is(after.version, before.version);
});

test('endpoints of a headless service are listeners: a change of them makes new ones', async () => {
  const resources = await read(client + service('db', 'None', 'tcp') + slice('db', '10.1.0.5').replace('name: http', 'name: tcp'));
  const mesh = buildMesh(resources);
  const before = next(mesh);
  assert.ok(before.listeners.some((l) => l.name === '10.1.0.5_80'));
  const moved = await replaced(resources, slice('db', '10.1.0.9').replace('name: http', 'name: tcp'));
  const after = next(buildMesh(moved, { previous: mesh }), before);
  assert.ok(after.listeners.some((l) => l.name === '10.1.0.9_80'));
  assert.not.ok(after.listeners.some((l) => l.name === '10.1.0.5_80'));
});

test('a change of routes is not taken for one of endpoints', async () => {
  const resources = await read(base + timeout(1));
  const mesh = buildMesh(resources);
  const before = next(mesh);
  const after = next(buildMesh(await replaced(resources, timeout(7)), { previous: mesh }), before);
  assert.match(JSON.stringify(after.routes), '"timeout":"7s"');
});

test('lists are sorted by name and name nothing twice', async () => {
  const { listeners, routes, clusters } = next(buildMesh(await read(base)));
  for (const list of [listeners, routes, clusters]) {
    const names = list.map((r) => r.name!);
    assert.equal(names, [...new Set(names)].sort());
  }
});

test.run();
