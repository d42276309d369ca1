import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildContext } from '../../../src/envoy/build-memo.ts';
import { buildClusters } from '../../../src/envoy/clusters/build.ts';
import { trackedEndpoints, updateEndpoints } from '../../../src/envoy/endpoint-update.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';

const service = (name: string) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  workloadSelector: { labels: { app: ${name} } }
`;
const workload = (name: string, address: string, version = 'v1') => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-1, labels: { app: ${name}, version: ${version} } }
spec: { address: ${address} }
`;
const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec:
  host: a.example
  subsets: [{ name: v1, labels: { version: v1 } }]
`;

async function read(text: string) {
  const { resources, problems } = await parseConfig(text, 'mesh.yaml');
  assert.equal(problems, []);
  return resources;
}

test('an endpoint change makes only the assignments of its service anew', async () => {
  const kept = await read([service('a'), service('b'), rule, workload('b', '10.0.0.2')].join('---\n'));
  const mesh = buildMesh([...kept, ...(await read(workload('a', '10.0.0.1')))]);
  const node = (m: typeof mesh) => proxiesOf(m, { addresses: [], pods: 'none' })[0]!;
  const context = buildContext(mesh, mesh.scope(node(mesh)));
  const clusters = buildClusters(context);
  const before = trackedEndpoints(context, clusters);
  assert.equal(
    before.list.map((e) => e.clusterName),
    ['outbound|80|v1|a.example', 'outbound|80||a.example', 'outbound|80||b.example'],
  );
  assert.is(updateEndpoints(mesh, mesh.scope(node(mesh)), before).list, before.list);

  const next = buildMesh([...kept, ...(await read(workload('a', '10.0.0.9', 'v2')))], { previous: mesh });
  const after = updateEndpoints(next, next.scope(node(next)), before);
  assert.equal(after.list[0], { clusterName: 'outbound|80|v1|a.example' });
  assert.is(after.list[1]!.endpoints![0]!.lbEndpoints![0]!.endpoint!.address!.socketAddress!.address, '10.0.0.9');
  assert.is(after.list[2], before.list[2]);
  // Whole again, without what came before.
  const fresh = buildMesh(next.resources);
  assert.equal(trackedEndpoints(buildContext(fresh, fresh.scope(node(fresh))), clusters).list, after.list);
});

test('a mesh that follows an older one brings back what that one had', async () => {
  const kept = await read([service('a'), service('b'), rule].join('---\n'));
  const [a, b] = await read([workload('a', '10.0.0.1'), workload('b', '10.0.0.2')].join('---\n'));
  const [moved] = await read(workload('a', '10.0.0.9'));
  const mesh = buildMesh([...kept, a!, b!]);
  const node = (m: typeof mesh) => proxiesOf(m, { addresses: [], pods: 'none' })[0]!;
  const context = buildContext(mesh, mesh.scope(node(mesh)));
  const clusters = buildClusters(context);
  const first = trackedEndpoints(context, clusters);
  const one = buildMesh([...kept, moved!, b!], { previous: mesh });
  const other = buildMesh([...kept, a!], { previous: mesh });
  const inOne = updateEndpoints(one, one.scope(node(one)), first);
  const inOther = updateEndpoints(other, other.scope(node(other)), inOne);
  assert.equal(inOther.list.slice(0, 2), first.list.slice(0, 2));
  assert.equal(inOther.list[2], { clusterName: 'outbound|80||b.example' });
});

test.run();
