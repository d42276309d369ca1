/** An engine with the real Envoy, for tests. */
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { openDataDirectory } from '../../../agent/data-directory.ts';
import type { Engine } from '../../../agent/engine.ts';
import { createEnvoyEngine } from '../../../agent/envoy/engine.ts';
import { type EnvoyBinary, findEnvoy } from '../../../agent/envoy/find.ts';
import { createLog, type Log } from '../../../agent/log.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { resolveMeshConfig } from '../../../src/mesh/mesh-config.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import type { ProxyNode } from '../../../src/mesh/types.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { createClient } from '../../support/http.ts';
import { service, testPort, workload } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';

export interface EnvoyBench {
  folder: string;
  /** Lines of the engine's log. */
  said: string[];
  /** In each bootstrap: a change asks for a hot restart. */
  meshId: string;
  /** Merged into each bootstrap as well. */
  patch: BootstrapJson;
  make(binary?: EnvoyBinary): Promise<Engine>;
  backend: Backend;
  port: number;
  snapshot(extra?: string): Promise<Snapshot>;
  /** The status of a request through the proxy; 0 when there is no answer. */
  ask(): Promise<number>;
}

/** @param envoy the binary's path */
export const withEnvoyEngine = (envoy: string, run: (bench: EnvoyBench) => Promise<void>) =>
  withScratch(async (folder) => {
    const backend = await startBackend('a');
    const port = testPort();
    const engines: Engine[] = [];
    const nodes = new Map<string, ProxyNode>();
    const said: string[] = [];
    const log: Log = createLog('text', 'debug', (line) => said.push(line));
    const bench: EnvoyBench = {
      folder,
      said,
      meshId: 'mesh',
      patch: {},
      backend,
      port,
      async make(binary) {
        // One agent after the other: each would give it back, or be killed.
        const data = openDataDirectory(folder);
        const engine = createEnvoyEngine({
          data,
          binary: binary ?? ((await findEnvoy({ ENVOY_PATH: envoy })) as EnvoyBinary),
          orphanSeconds: undefined,
          log,
          describe(id, { admin, xds }) {
            const proxy = nodes.get(id);
            const config = resolveMeshConfig({ trustDomain: bench.meshId, defaultConfig: { drainDuration: '3s' } });
            if (!proxy) return undefined;
            const made = bootstrap(proxy, { config, version: 'test', admin: { path: admin }, xdsPath: xds });
            return { proxy, config, bootstrap: { ...made, ...bench.patch } };
          },
        });
        engines.push(engine);
        await engine.start();
        return engine;
      },
      async snapshot(extra = '') {
        const text = `${service('a')}${workload('a', { app: 'a' }, backend.port, { 'fairlead.dev/http-proxy-port': String(port) })}${extra}`;
        const { resources } = await parseConfig(text, 'a.yaml');
        const mesh = buildMesh(resources);
        const [node] = proxiesOf(mesh, { addresses: [], pods: 'none' });
        nodes.set(node!.id, node!);
        return buildSnapshot(mesh, node!);
      },
      async ask() {
        const client = createClient(`127.0.0.1:${port}`);
        const { status } = await client.get('http://a/').catch(() => ({ status: 0 }));
        client.close();
        return status;
      },
    };
    try {
      await run(bench);
    } finally {
      // The last one holds the processes.
      for (const engine of engines.reverse()) await engine.stop();
      await backend.close();
    }
  });
