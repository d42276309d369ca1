import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { resourcesOf } from './fixture.ts';
import { changed, fixed, random } from './random-changes.ts';
import { changedInAnyWay } from './random-routing.ts';

function endpointsIn(mesh: Mesh): unknown {
  return mesh.services.map((s) => [s.host, s.ports.map((p) => [p.number, mesh.endpoints(s, p).map(({ resource, ...e }) => e)])]);
}

/** What each proxy's own side depends on, by its id. */
function proxiesIn(mesh: Mesh): Map<string, unknown> {
  const nodes = proxiesOf(mesh, { addresses: [], pods: 'all' });
  return new Map(
    nodes.map(({ workload, ...node }) => [
      node.id,
      [
        { ...node, httpProxyPort: undefined },
        mesh.scope({ ...node, workload }).instances.map((i) => [i.service.host, i.port.number, i.targetPort]),
      ],
    ]),
  );
}

for (const seed of [1, 2, 3, 4]) {
  test(`a mesh that was updated many times is as one built anew, and what is kept is right to keep (seed ${seed})`, async () => {
    const next = random(seed);
    let resources = await resourcesOf(fixed);
    let mesh = buildMesh(resources);
    let kept = 0;
    for (let step = 0; step < 60; step++) {
      const before = proxiesIn(mesh);
      const version = mesh.routingVersion;
      const services = mesh.services;
      resources = await changed(resources, next);
      mesh = buildMesh(resources, { previous: mesh });
      const fresh = buildMesh(resources);
      assert.equal(endpointsIn(mesh), endpointsIn(fresh), `step ${step}`);
      assert.equal(proxiesIn(mesh), proxiesIn(fresh), `step ${step}`);
      if (mesh.routingVersion !== version) continue;
      kept++;
      assert.is(mesh.services, services);
      for (const [id, one] of proxiesIn(mesh)) if (before.has(id)) assert.equal(one, before.get(id), `step ${step}: ${id}`);
    }
    assert.ok(kept > 5, `only ${kept} updates kept the routing`);
  });
}

/** Resources by their names: an entry of which only the endpoints changed may be an older one in its service. */
function shown(key: string, value: unknown): unknown {
  const { kind, metadata } = (value ?? {}) as { kind?: string; metadata?: { name: string } };
  return key !== '' && kind !== undefined && metadata !== undefined ? `${kind} ${metadata.name}` : value;
}

/** All that the generator may ask a mesh, as text. */
function picture(mesh: Mesh): string {
  const scopes = proxiesOf(mesh, { addresses: [], pods: 'all' }).map((node) => {
    const scope = mesh.scope(node);
    return [
      node.id,
      scope.services.map((s) => [s, scope.serviceByHost(s.host), scope.destinationRule(s), scope.destinationRule(s, 'inbound')]),
      scope.egress,
      scope.virtualServices,
      scope.gateways,
      scope.instances.map((i) => [i.service.host, i.port.number, i.targetPort]),
    ];
  });
  const all = [endpointsIn(mesh), mesh.services, scopes, mesh.problems, mesh.workloads.map((w) => [w.kind, w.name])];
  return JSON.stringify(all, shown, 1);
}

for (const seed of [31, 32, 33, 34]) {
  test(`a mesh that was updated for changes of any kind is as one built anew, and keeps what they leave alone (seed ${seed})`, async () => {
    const next = random(seed);
    let resources = await resourcesOf(fixed);
    let mesh = buildMesh(resources);
    let [kept, all] = [0, 0];
    for (let step = 0; step < 150; step++) {
      const before = new Set(mesh.services);
      // Now and then in another order, as when files are renamed.
      const after = await changedInAnyWay(resources, next);
      resources = next(20) === 0 ? [...after].reverse() : after;
      mesh = buildMesh(resources, { previous: mesh });
      assert.is(picture(mesh), picture(buildMesh(resources)), `step ${step}`);
      all += mesh.services.length;
      for (const service of mesh.services) if (before.has(service)) kept++;
    }
    assert.ok(kept > all / 2, `${kept} of ${all} services were kept`);
  });
}

test('two resources of one name are found when the second one comes later', async () => {
  const resources = await resourcesOf(fixed);
  const mesh = buildMesh(resources);
  const [twin] = await resourcesOf(fixed);
  const next = buildMesh([...resources, twin!], { previous: mesh });
  assert.equal(
    next.problems.map((p) => p.rule),
    ['resource/duplicate'],
  );
  assert.equal(buildMesh(resources, { previous: next }).problems, []);
});

test.run();
