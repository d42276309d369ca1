import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resource } from '../../src/config/resource.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { doc, resourcesOf } from './fixture.ts';

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const apps = ['a', 'b', 'c'];
const fixed =
  apps.map((app) => doc('Service', app, `spec: {selector: {app: ${app}}, ports: [{name: http, port: 80, targetPort: 8080}]}`)).join('') +
  doc('Service', 'hand', 'spec: {ports: [{name: http, port: 80}]}') +
  doc('Service', 'headless', 'spec: {clusterIP: None, selector: {app: a}, ports: [{name: tcp, port: 90}]}') +
  doc(
    'ServiceEntry',
    'sel',
    'spec:\n  hosts: [sel.example.com]\n  location: MESH_INTERNAL\n  resolution: STATIC\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  workloadSelector: {labels: {app: b}}',
  );

type Next = (below: number) => number;
/** Addresses are few, so that workloads, slices and endpoints meet. */
const address = (next: Next): string => `10.0.0.${1 + next(6)}`;
const makers: ((next: Next) => string)[] = [
  (next) =>
    doc(
      'EndpointSlice',
      `s${next(4)}`,
      `addressType: IPv4\nports: [{name: http, port: ${8080 + next(2)}}, {name: tcp, port: 90}]\nendpoints: [{addresses: [${address(next)}], conditions: {ready: ${next(2) === 0}}}]`,
      `labels: {kubernetes.io/service-name: ${[...apps, 'hand', 'headless'][next(5)]}}`,
    ),
  (next) =>
    doc(
      'Pod',
      `p${next(4)}`,
      `spec: {containers: [{name: c}], nodeName: n1}\nstatus: {podIP: ${address(next)}}`,
      `labels: {app: ${apps[next(3)]}}`,
    ),
  (next) =>
    doc('WorkloadEntry', `w${next(4)}`, `spec: {address: ${address(next)}, labels: {app: ${apps[next(3)]}}, weight: ${1 + next(2)}}`),
  (next) =>
    doc('Endpoints', ['a', 'hand'][next(2)]!, `subsets: [{addresses: [{ip: ${address(next)}}], ports: [{name: http, port: 8080}]}]`),
  (next) =>
    doc(
      'ServiceEntry',
      `e${next(2)}`,
      `spec:\n  hosts: [e.example.com]\n  resolution: STATIC\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  endpoints: [{address: ${address(next)}}, {address: 10.9.9.${next(9)}}]`,
    ),
];

const key = (r: Resource): string => `${r.kind}/${r.metadata.name}`;

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
      const at = next(resources.length);
      if (next(4) === 0 && !['Service', 'ServiceEntry'].includes(resources[at]!.kind)) {
        resources = resources.filter((_, i) => i !== at);
      } else {
        const [made] = await resourcesOf(makers[next(makers.length)]!(next));
        const place = resources.findIndex((r) => key(r) === key(made!));
        resources = place === -1 ? [...resources, made!] : resources.with(place, made!);
      }
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
