import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resource } from '../../src/config/resource.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import { doc, resourcesOf } from '../mesh/fixture.ts';
import { changed, fixed, random } from '../mesh/random-changes.ts';

const rules = doc(
  'DestinationRule',
  'a',
  'spec:\n  host: a\n  trafficPolicy: {outlierDetection: {}}\n  subsets: [{name: a, labels: {app: a}}, {name: b, labels: {app: b}}]',
);
const own = doc('Pod', 'own', 'spec: {containers: [{name: c}]}\nstatus: {podIP: 10.8.8.8}', 'labels: {app: none}');
/** More services than one piece of a version's hashes has, so that a change must find the right one. */
const many = Array.from({ length: 300 }, (_, i) => doc('Service', `more-${i}`, 'spec: {ports: [{name: http, port: 80}]}')).join('');

interface Step {
  resources: readonly Resource[];
  mesh: Mesh;
  snapshot: Snapshot;
}

function snapshotOf(mesh: Mesh, previous?: Snapshot): Snapshot {
  const proxy = findProxy(mesh, 'own');
  assert.not.ok('candidates' in proxy);
  return buildSnapshot(mesh, proxy as ProxyNode, previous);
}

const content = ({ proxy, ...rest }: Snapshot): unknown => ({ ...rest, proxy: proxy.id });

for (const seed of [11, 12, 13]) {
  test(`a snapshot that was updated many times is as one made anew, and keeps what did not change (seed ${seed})`, async () => {
    const next = random(seed);
    const resources = await resourcesOf(fixed + rules + own + many);
    const mesh = buildMesh(resources);
    const history: Step[] = [{ resources, mesh, snapshot: snapshotOf(mesh) }];
    let [updated, moved] = [0, 0];
    for (let i = 0; i < 40; i++) {
      const last = history.at(-1)!;
      // Now and then the mesh follows an older one than the snapshot does.
      const from = next(5) === 0 ? history[next(history.length)]! : last;
      const resources = await changed(from.resources, next);
      const mesh = buildMesh(resources, { previous: from.mesh });
      const before = last.snapshot;
      const snapshot = snapshotOf(mesh, before);
      const fresh = snapshotOf(buildMesh(resources));
      assert.equal(content(snapshot), content(fresh), `step ${i}`);
      if (snapshot.clusters === before.clusters) {
        updated++;
        const differ = snapshot.endpoints.filter((e, at) => e !== before.endpoints[at]);
        for (const e of differ)
          assert.not.equal(
            e,
            before.endpoints.find((b) => b.clusterName === e.clusterName),
          );
        assert.is(snapshot.version === before.version, differ.length === 0, `step ${i}: the version changes when content does`);
        if (differ.length > 0) moved++;
      }
      history.push({ resources, mesh, snapshot });
    }
    assert.ok(updated > 5 && moved > 3, `${updated} updates, ${moved} of them with other endpoints`);
  });
}

test.run();
