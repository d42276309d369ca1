import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { resourcesOf } from './fixture.ts';
import { changed, fixed, random } from './random-changes.ts';

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

test.run();
