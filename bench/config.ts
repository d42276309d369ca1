/**
 * How long a node's agent takes from files to Envoy config, for one proxy in a large mesh, and for a change of one endpoint.
 *
 *   node bench/config.ts [SERVICES]
 */
import { parseConfig } from '../src/config/parse-config.ts';
import { buildSnapshot } from '../src/envoy/build.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import { buildMesh } from '../src/mesh/mesh.ts';
import { proxiesOf } from '../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../src/mesh/types.ts';
import { figures, median } from './figures.ts';
import { serviceYaml, sliceYaml } from './service-yaml.ts';

const rounds = 5;

/** Milliseconds of a function, and what it gave. */
async function timed<T>(run: () => T | Promise<T>): Promise<[number, T]> {
  const started = performance.now();
  const result = await run();
  return [performance.now() - started, result];
}

/** With its version, which is computed when it is asked for. */
function versioned(snapshot: Snapshot): Snapshot {
  void snapshot.version;
  return snapshot;
}

/** As the agent of the client's node finds it. */
function proxyOf(mesh: Mesh): ProxyNode {
  const found = proxiesOf(mesh, { addresses: [], nodeName: 'here', pods: 'node' }).find((p) => p.name === 'client');
  if (found === undefined) throw new Error('no proxy client');
  return found;
}

/** @param services how many; each has a Deployment, a Service, a VirtualService, a DestinationRule and an EndpointSlice */
export async function benchConfig(services = 5000): Promise<void> {
  const client = `apiVersion: v1
kind: Pod
metadata: { name: client, namespace: default, labels: { app: client } }
spec: { nodeName: here, containers: [{ name: app }] }
status: { podIP: 10.250.0.1, phase: Running }
`;
  const text = client + Array.from({ length: services }, (_, i) => serviceYaml(i) + sliceYaml(i)).join('');
  const times = { load: [] as number[], model: [] as number[], snapshot: [] as number[], change: [] as number[] };
  let shape = '';
  for (let round = 0; round < rounds; round++) {
    const [load, { resources }] = await timed(() => parseConfig(text, 'mesh.yaml'));
    const [model, mesh] = await timed(() => buildMesh(resources));
    const proxy = proxyOf(mesh);
    const [full, snapshot] = await timed(() => versioned(buildSnapshot(mesh, proxy)));
    const at = resources.findIndex((r) => r.kind === 'EndpointSlice');
    const { resources: changed } = await parseConfig(sliceYaml(0).replace('10.0.0.2', '10.0.0.3'), 'slice.yaml');
    const after = resources.with(at, changed[0]!);
    const [change, next] = await timed(() => {
      const updated = buildMesh(after, { previous: mesh });
      return versioned(buildSnapshot(updated, proxyOf(updated), snapshot));
    });
    if (next.version === snapshot.version || next.routes !== snapshot.routes) throw new Error('the change is not what it should be');
    times.load.push(load);
    times.model.push(model);
    times.snapshot.push(full);
    times.change.push(change);
    shape = `${snapshot.clusters.length} clusters, ${snapshot.listeners.length} listeners, ${snapshot.routes.length} route configurations`;
  }
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    `${(values[0] ?? 0).toFixed(1)} ms`,
    `${median(values).toFixed(1)} ms`,
  ];
  console.log(`${services} services: ${shape}`);
  console.log(
    figures([
      ['', 'first', `median of ${rounds}`],
      row('load and validate', times.load),
      row('model', times.model),
      row('snapshot of one sidecar', times.snapshot),
      row('one endpoint changed: model and snapshot', times.change),
    ]),
  );
}

if (import.meta.main) await benchConfig(Number(process.argv[2] ?? 5000));
