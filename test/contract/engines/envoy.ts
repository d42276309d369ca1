/** The real Envoy, fed by the agent's xDS server: one process for each proxy of a case at a time, kept from case to case. */
import { join } from 'node:path';
import { createLog } from '../../../agent/log.ts';
import { startXdsServer } from '../../../agent/xds/server.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { listening } from './listening.ts';
import { readStats } from './stats-text.ts';
import type { ContractEngine } from './types.ts';

const SETTLE_MS = 20_000;

/** The snapshot of a proxy, for the Envoy that runs it in this case. */
const as = (snapshot: Snapshot, id: string): Snapshot => ({ ...snapshot, version: snapshot.version, proxy: { ...snapshot.proxy, id } });

const nothing = (snapshot: Snapshot): Snapshot => ({
  ...{ version: 'nothing', proxy: snapshot.proxy, listeners: [], routes: [], clusters: [], endpoints: [], problems: [] },
});

export function envoyEngine(binary: string): (folder: string) => Promise<ContractEngine> {
  return async (folder) => {
    const socket = join(folder, 'xds.sock');
    const server = await startXdsServer({ socket, log: createLog('text', 'error', (line) => process.stderr.write(line)) });
    const processes: EnvoyProcess[] = [];
    const running = new Map<string, EnvoyProcess>();

    async function set(envoy: EnvoyProcess, snapshot: Snapshot): Promise<void> {
      server.set(as(snapshot, envoy.id));
      const result = await server.settled(envoy.id, snapshot.version, SETTLE_MS);
      if (!result.applied) throw new Error(`refused: ${result.problems.map((p) => p.message).join('; ')}`);
    }

    return {
      name: 'envoy',
      async run(snapshots, secrets) {
        running.clear();
        for (const [i, [name, snapshot]] of [...snapshots].entries()) {
          processes[i] ??= await startEnvoy(binary, join(folder, `envoy-${i}`), `slot-${i}`, socket, snapshot.proxy);
          const envoy = processes[i];
          // What the case before left must not be taken for what this one brings.
          await set(envoy, nothing(snapshot));
          server.setSecrets(envoy.id, secrets.get(name) ?? []);
          await set(envoy, snapshot);
          await listening(snapshot);
          running.set(name, envoy);
        }
      },
      stats: async (proxy) => readStats(await running.get(proxy)!.get('/stats')),
      async close() {
        await Promise.all(processes.map((p) => p.close()));
        await server.close();
      },
    };
  };
}
