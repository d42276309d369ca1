/** The same mesh, once on the embedded proxy and once on the real Envoy. */
import { createProxyHost } from '../../../agent/proxy/host.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import { nodeJson } from '../../../src/envoy/dump/node.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { findProxy } from '../../../src/mesh/proxies.ts';
import type { Mesh } from '../../../src/mesh/types.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { secretsOf } from '../../contract/credentials/secrets.ts';
import { startEnvoy } from './envoy-proxy.ts';

export interface RunningProxy {
  readonly engine: 'embedded' | 'envoy';
  readonly mesh: Mesh;
  readonly snapshot: Snapshot;
  readonly records: readonly RequestRecord[];
  /** `127.0.0.1:PORT` of the explicit proxy. */
  readonly httpProxy: string;
  close(): Promise<void>;
}

export async function snapshotOf(yaml: string, port: number, proxyName: string): Promise<{ mesh: Mesh; snapshot: Snapshot }> {
  const loaded = await parseConfig(yaml, 'mesh.yaml');
  const mesh = buildMesh(loaded.resources, { meshConfig: { proxyHttpPort: port, ...loaded.meshConfig } });
  const proxy = findProxy(mesh, proxyName);
  if ('candidates' in proxy) throw new Error(`no proxy ${proxyName} among ${proxy.candidates.join(', ')}`);
  const snapshot = buildSnapshot(mesh, proxy);
  const errors = [...loaded.problems, ...mesh.problems, ...snapshot.problems].filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((p) => `${p.position?.line ?? '?'}: ${p.rule}: ${p.message}`).join('\n'));
  return { mesh, snapshot };
}

export async function runEmbedded(yaml: string, port: number, proxyName = 'client.default'): Promise<RunningProxy> {
  const { mesh, snapshot } = await snapshotOf(yaml, port, proxyName);
  const records: RequestRecord[] = [];
  const host = createProxyHost({ record: (r) => records.push(r), log: () => undefined });
  const { proxy, listeners, routes, clusters, endpoints, version } = snapshot;
  const { id, cluster = '' } = nodeJson(proxy, mesh.config, 'test');
  const node = { id: id ?? '', cluster, zone: '' };
  const config = { id: proxy.id, name: `${proxy.name}.${proxy.namespace}`, node, version, listeners, routes, clusters, endpoints };
  const problems = await host.apply(proxy.id, config);
  if (problems.length > 0) throw new Error(problems.map((p) => p.message).join('\n'));
  return { engine: 'embedded', mesh, snapshot, records, httpProxy: `127.0.0.1:${port}`, close: () => host.close() };
}

export async function runEnvoy(envoy: string, yaml: string, port: number, proxyName = 'client.default'): Promise<RunningProxy> {
  const { mesh, snapshot } = await snapshotOf(yaml, port, proxyName);
  const secrets = await secretsOf(mesh, new Map([[proxyName, snapshot]]));
  const { records, close } = await startEnvoy(envoy, snapshot, secrets.get(proxyName) ?? []);
  return { engine: 'envoy', mesh, snapshot, records, httpProxy: `127.0.0.1:${port}`, close };
}
