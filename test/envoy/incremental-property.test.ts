import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resource } from '../../src/config/resource.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { doc, resourcesOf } from '../mesh/fixture.ts';
import { changed, fixed, type Next, random } from '../mesh/random-changes.ts';
import { changedInAnyWay } from '../mesh/random-routing.ts';

const rules = doc(
  'DestinationRule',
  'a',
  'spec:\n  host: a\n  trafficPolicy: {outlierDetection: {}}\n  subsets: [{name: a, labels: {app: a}}, {name: b, labels: {app: b}}]',
);
const gateway = doc(
  'Gateway',
  'gw',
  'spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}',
);
const webGateway = doc('Gateway', 'web', 'spec: {gatewayClassName: fairlead, listeners: [{name: http, port: 80, protocol: HTTP}]}').replace(
  'networking.istio.io',
  'gateway.networking.k8s.io',
);
/** A proxy that is captured, one that is asked explicitly, and a gateway. */
const own =
  doc('Pod', 'own', 'spec: {containers: [{name: c}]}\nstatus: {podIP: 10.8.8.8}', 'labels: {app: none}') +
  doc('WorkloadEntry', 'own', 'spec: {address: 10.8.8.9, labels: {app: none}}');

/** Whom CUSTOM policies ask; the host is there at times. */
const meshConfig = { extensionProviders: [{ name: 'authorizer', envoyExtAuthzGrpc: { service: 'x.example.com', port: 80 } }] };

interface Step {
  resources: readonly Resource[];
  mesh: Mesh;
  snapshots: ReadonlyMap<string, Snapshot>;
}

/** Of the proxies that stay, by what they are. */
function snapshotsOf(mesh: Mesh, previous?: Step['snapshots']): Map<string, Snapshot> {
  const nodes = proxiesOf(mesh, { addresses: ['10.8.8.9'], pods: 'all' }).filter((n) => n.name === 'own' || n.type === 'router');
  return new Map(nodes.map((node) => [`${node.type} ${node.id}`, buildSnapshot(mesh, node, previous?.get(`${node.type} ${node.id}`))]));
}

const content = (snapshots: Step['snapshots']): unknown =>
  [...snapshots].map(([key, { proxy, problems, ...rest }]) => [key, { ...rest, problems: problems.map((p) => ({ ...p })) }]);

const lists = ['listeners', 'routes', 'clusters', 'endpoints'] as const;
const nameOf = (resource: { name?: string; clusterName?: string }): string => resource.name ?? resource.clusterName!;

/** Everything that equals what was there before is what was there before. How many of the resources are. */
function checkKept(now: Snapshot, before: Snapshot, step: string): { kept: number; all: number } {
  let [kept, all] = [0, 0];
  for (const list of lists) {
    const old = new Map(before[list].map((r) => [nameOf(r), r]));
    for (const resource of now[list]) {
      all++;
      const was = old.get(nameOf(resource));
      if (was === resource) kept++;
      else if (was !== undefined) assert.not.equal(was, resource, `${step}: ${list} ${nameOf(resource)} is made anew without need`);
    }
  }
  const hostsBefore = new Map(before.routes.flatMap((r) => r.virtualHosts?.map((h) => [`${r.name} ${h.name}`, h]) ?? []));
  for (const route of now.routes) {
    for (const host of route.virtualHosts ?? []) {
      const was = hostsBefore.get(`${route.name} ${host.name}`);
      if (was !== undefined && was !== host) assert.not.equal(was, host, `${step}: virtual host ${host.name} is made anew without need`);
    }
  }
  const same = lists.every((list) => now[list].length === before[list].length && now[list].every((r, i) => r === before[list][i]));
  assert.is(now.version === before.version, same, `${step}: the version changes when content does`);
  return { kept, all };
}

type Change = (resources: readonly Resource[], next: Next) => Promise<Resource[]>;

async function follow(seed: number, steps: number, change: Change): Promise<void> {
  const next = random(seed);
  const resources = await resourcesOf(fixed + rules + own + gateway + webGateway);
  const mesh = buildMesh(resources, { meshConfig });
  const history: Step[] = [{ resources, mesh, snapshots: snapshotsOf(mesh) }];
  let [kept, all, moved] = [0, 0, 0];
  for (let i = 0; i < steps; i++) {
    const last = history.at(-1)!;
    // Now and then the mesh follows an older one than the snapshot does.
    const from = next(8) === 0 ? history[next(history.length)]! : last;
    const resources = await change(from.resources, next);
    const mesh = buildMesh(resources, { meshConfig, previous: from.mesh });
    const snapshots = snapshotsOf(mesh, last.snapshots);
    assert.equal(content(snapshots), content(snapshotsOf(buildMesh(resources, { meshConfig }))), `seed ${seed}, step ${i}`);
    for (const [key, snapshot] of snapshots) {
      const before = last.snapshots.get(key);
      if (before === undefined) continue;
      const counts = checkKept(snapshot, before, `seed ${seed}, step ${i}`);
      kept += counts.kept;
      all += counts.all;
      if (snapshot.version !== before.version) moved++;
    }
    history.push({ resources, mesh, snapshots });
    if (history.length > 8) history.shift();
  }
  assert.ok(kept > all / 2 && moved > steps / 10, `${kept} of ${all} resources were kept; ${moved} snapshots changed`);
}

for (const seed of [11, 12]) {
  test(`a snapshot that was updated for many endpoint changes is as one made anew (seed ${seed})`, () => follow(seed, 60, changed));
}

/** A thousand changes and more; FAIRLEAD_SEEDS has more of them. */
const seeds = Number(process.env['FAIRLEAD_SEEDS'] ?? 6);
for (let seed = 21; seed < 21 + seeds; seed++) {
  test(`a snapshot that was updated for many changes of any kind is as one made anew (seed ${seed})`, () =>
    follow(seed, 200, changedInAnyWay));
}

test.run();
