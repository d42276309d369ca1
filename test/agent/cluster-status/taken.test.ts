/** What a proxy is said to have: what it runs, not what it was sent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareDigests, decodeDigest, digestOf } from '../../../agent/cluster-status/digest.ts';
import { readSummary, summarize } from '../../../agent/cluster-status/summary.ts';
import { trackTaken } from '../../../agent/cluster-status/track-taken.ts';
import { versionedResources } from '../../../agent/cluster-status/versioned.ts';
import type { ProxySync } from '../../../agent/controller.ts';
import type { Resource } from '../../../src/config/resource.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { Mesh } from '../../../src/mesh/types.ts';

const resources = (generation: number): Resource[] => [
  {
    apiVersion: 'networking.istio.io/v1',
    group: 'networking.istio.io',
    version: 'v1',
    kind: 'VirtualService',
    metadata: { name: 'a', namespace: 'shop', labels: {}, annotations: {}, creationTime: 0, uid: 'u', generation },
    spec: {},
    source: {} as Resource['source'],
  },
];

function bench() {
  let mesh = { resources: resources(1) } as unknown as Mesh;
  const proxy: ProxySync = {
    node: { id: 'p', name: 'app', namespace: 'shop', type: 'sidecar', workload: { kind: 'Pod' } } as ProxySync['node'],
    applied: undefined,
    refused: undefined,
    snapshot: undefined,
  };
  const tracker = trackTaken({ mesh: () => mesh, proxies: () => [proxy] });
  return {
    proxy,
    tracker,
    /** A new mesh, whose snapshot the proxy gets. */
    handOut(generation: number, more: Partial<ProxySync>): void {
      mesh = { resources: resources(generation) } as unknown as Mesh;
      Object.assign(proxy, more);
      tracker.look(true);
    },
    /** The generation of the object that the proxy is said to have. */
    has(): number | undefined {
      const text = tracker.taken().get('p');
      if (text === undefined) return undefined;
      return [1, 2, 3].find((generation) => {
        const own = versionedResources(resources(generation));
        return compareDigests(decodeDigest(text)!, digestOf(own), own).has(own[0]!);
      });
    },
  };
}

const snapshot = (version: string): Snapshot => ({ version }) as Snapshot;
const applied = (version: string) => ({ version, at: 0 });

test('what is refused leaves what was there before', () => {
  const b = bench();
  b.handOut(1, { snapshot: snapshot('1'), applied: applied('1') });
  assert.is(b.has(), 1);
  b.handOut(2, { refused: { version: '2', at: 0, problems: [] } });
  assert.is(b.has(), 1);
  b.handOut(3, { refused: undefined, snapshot: snapshot('3'), applied: applied('3') });
  assert.is(b.has(), 3);
});

test('what is on its way is not there until the proxy says so, and then not more than was sent', () => {
  const b = bench();
  b.handOut(1, { snapshot: snapshot('1'), sent: '1' });
  assert.is(b.has(), undefined);
  Object.assign(b.proxy, { applied: applied('1') });
  b.tracker.look(false);
  assert.is(b.has(), 1);
  b.handOut(2, { snapshot: snapshot('2'), sent: '2' });
  assert.is(b.has(), 1);
  Object.assign(b.proxy, { applied: applied('2') });
  b.tracker.look(false);
  assert.is(b.has(), 2);
});

test('a data plane that lost what it ran has nothing', () => {
  const b = bench();
  b.handOut(1, { snapshot: snapshot('1'), applied: applied('1') });
  assert.is(b.has(), 1);
  Object.assign(b.proxy, { applied: undefined, refused: { version: '1', at: 0, problems: [] } });
  b.tracker.look(false);
  assert.is(b.has(), undefined);
});

test('a summary is bounded, says what it leaves out, and is read again', () => {
  const node = (i: number) =>
    ({
      id: `p${String(i).padStart(5, '0')}`,
      name: `${i}${'n'.repeat(240)}`,
      namespace: 'n'.repeat(63),
      type: 'sidecar',
      workload: { kind: 'Pod' },
    }) as ProxySync['node'];
  const problem = { severity: 'error' as const, rule: 'x', message: 'm'.repeat(5000) };
  const proxies = Array.from({ length: 3000 }, (_, i) => ({ node: node(i), refused: { version: '', at: 0, problems: [problem] } }));
  const summary = summarize({ version: '1', proxies, config: { state: 'accepted', problems: [] }, taken: new Map(), certificates: [] });
  const text = JSON.stringify(summary);
  assert.ok(text.length < 1_000_000, `${text.length}`);
  assert.is(summary.leftOut, 2000 + 2900);
  assert.equal(readSummary(text), summary);
});

test('what is no summary is none, and what is wrong in one is left out', () => {
  for (const text of [undefined, '', '{}', '[]', 'null', '{"format":2,"digests":[],"proxies":[],"refusals":[]}'])
    assert.is(readSummary(text), undefined);
  const odd = readSummary(
    '{"format":1,"digests":[1],"proxies":[null,{"name":1},{"name":"a","namespace":"b","type":"sidecar"}],"refusals":[null,{}]}',
  );
  assert.equal(odd?.proxies, [{ name: 'a', namespace: 'b', type: 'sidecar' }]);
  assert.equal(odd?.refusals, []);
});

test.run();
