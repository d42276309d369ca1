/** The same configuration in the embedded proxy and in the real Envoy. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { createProxyRuntime } from '../../../agent/proxy/runtime.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { createSecretStore, type SecretStore } from '../../../agent/proxy/tls/secret-store.ts';
import { checkCluster } from '../../../agent/proxy/upstream/check-cluster.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { freePort } from '../../support/free-ports.ts';

export interface ProxyConfigUnderTest {
  /** Without an address: each proxy gets a port of its own. */
  listener: Omit<ListenerJson, 'address'>;
  clusters?: ClusterJson[];
  secrets?: SecretJson[];
}

export interface ProxyUnderTest {
  name: 'embedded' | 'envoy';
  port: number;
  /** The counter of this name, 0 without it. `listener.<address>` is the listener's prefix. */
  counter(name: string): Promise<number>;
  /** The embedded proxy's. */
  secrets?: SecretStore;
  records?: RequestRecord[];
  /** The answer of Envoy's admin API; undefined when it is no success. */
  ask?(path: string): Promise<string | undefined>;
  close(): Promise<void>;
}

const at = (port: number): ListenerJson['address'] => ({ socketAddress: { address: '127.0.0.1', portValue: port } });

export async function startEmbedded({ listener, clusters = [], secrets = [] }: ProxyConfigUnderTest): Promise<ProxyUnderTest> {
  const port = await freePort();
  const stats = createStatsRegistry();
  const store = createSecretStore();
  const records: RequestRecord[] = [];
  const refused = [...store.set(secrets), ...clusters.flatMap((cluster) => checkCluster(cluster))];
  if (refused.length > 0) throw new Error(refused.map((p) => p.message).join('; '));
  const manager = createClusterManager({ stats, secrets: store, log() {} });
  manager.update(clusters, []);
  const runtime = createProxyRuntime({
    proxyId: 'p.ns',
    clusters: manager,
    stats,
    secrets: store,
    record: (r) => records.push(r),
    log() {},
  });
  const problems = await runtime.update({ listeners: [{ name: 'l', ...listener, address: at(port) } as ListenerJson], routes: [] });
  if (problems.length > 0) throw new Error(problems.map((p) => p.message).join('; '));
  return {
    name: 'embedded',
    port,
    secrets: store,
    records,
    counter: async (name) => stats.counter(name.replace('<address>', `127.0.0.1_${port}`)).value,
    async close() {
      await runtime.close();
      await manager.close();
    },
  };
}

/** Undefined where there is no Envoy. */
export async function startEnvoy({ listener, clusters = [], secrets = [] }: ProxyConfigUnderTest): Promise<ProxyUnderTest | undefined> {
  const envoy = realEnvoy();
  if ('missing' in envoy) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tls-'));
  const adminFile = join(folder, 'admin');
  const config = {
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: 0 } } },
    staticResources: { listeners: [{ name: 'l', ...listener, address: at(port) }], clusters, secrets },
  };
  writeFileSync(join(folder, 'envoy.json'), JSON.stringify(config));
  const args = [
    '-c',
    join(folder, 'envoy.json'),
    '--admin-address-path',
    adminFile,
    '--use-dynamic-base-id',
    '--concurrency',
    '1',
    '-l',
    process.env['ENVOY_LOG'] ?? 'error',
  ];
  const child: ChildProcess = spawn(envoy.path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr!.on('data', (chunk) => {
    log += chunk;
    if (process.env['ENVOY_LOG']) process.stderr.write(chunk);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const ask = async (path: string): Promise<string | undefined> => {
    try {
      const response = await fetch(`http://${readFileSync(adminFile, 'utf8')}${path}`);
      return response.ok ? await response.text() : undefined;
    } catch {
      return undefined;
    }
  };
  for (const end = Date.now() + 20_000; (await ask('/ready')) === undefined; await new Promise((r) => setTimeout(r, 20))) {
    if (Date.now() > end || child.exitCode !== null) {
      await close();
      throw new Error(`Envoy does not start: ${log.slice(-2000)}`);
    }
  }
  return {
    name: 'envoy',
    port,
    async counter(name) {
      const wanted = name.replace('<address>', `127.0.0.1_${port}`);
      const line = (await ask('/stats'))?.split('\n').find((one) => one.startsWith(`${wanted}: `));
      return line === undefined ? 0 : Number(line.slice(wanted.length + 2));
    },
    ask,
    close,
  };
}

/** Runs `look` against both, and gives what each showed. */
export async function onBoth<T>(
  config: ProxyConfigUnderTest,
  look: (proxy: ProxyUnderTest) => Promise<T>,
): Promise<{ embedded: T; envoy: T | undefined }> {
  const run = async (proxy: ProxyUnderTest): Promise<T> => {
    try {
      return await look(proxy);
    } finally {
      await proxy.close();
    }
  };
  const embedded = await run(await startEmbedded(config));
  const envoy = await startEnvoy(config);
  return { embedded, envoy: envoy && (await run(envoy)) };
}
