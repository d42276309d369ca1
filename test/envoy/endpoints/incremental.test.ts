import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildClusters } from '../../../src/envoy/clusters/build.ts';
import { buildEndpoints } from '../../../src/envoy/endpoints/build.ts';
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
  const { clusters } = buildClusters(mesh, mesh.scope(node(mesh)));
  const before = buildEndpoints(mesh, mesh.scope(node(mesh)), clusters);
  assert.equal(
    before.map((e) => e.clusterName),
    ['outbound|80|v1|a.example', 'outbound|80||a.example', 'outbound|80||b.example'],
  );
  assert.equal(
    buildEndpoints(mesh, mesh.scope(node(mesh)), clusters).map((e, i) => e === before[i]),
    [true, true, true],
  );

  const next = buildMesh([...kept, ...(await read(workload('a', '10.0.0.9', 'v2')))], { previous: mesh });
  const after = buildEndpoints(next, next.scope(node(next)), clusters);
  assert.equal(after[0], { clusterName: 'outbound|80|v1|a.example' });
  assert.is(after[1]!.endpoints![0]!.lbEndpoints![0]!.endpoint!.address!.socketAddress!.address, '10.0.0.9');
  assert.equal(after[2], before[2]);
  // Whole again, without what came before.
  const fresh = buildMesh(next.resources);
  assert.equal(buildEndpoints(fresh, fresh.scope(node(fresh)), clusters), after);
});

test.run();
