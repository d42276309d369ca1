import { join } from 'node:path';
import { createEmbeddedEngine } from '../../../agent/embedded/engine.ts';
import { createLog } from '../../../agent/log.ts';
import { listening } from './listening.ts';
import { readStats } from './stats-text.ts';
import type { ContractEngine } from './types.ts';

/** The embedded proxy's process, driven as the agent drives it. */
export async function embeddedEngine(folder: string): Promise<ContractEngine> {
  const engine = createEmbeddedEngine({
    socket: join(folder, 'proxy.sock'),
    logFile: join(folder, 'proxy.log'),
    version: 'test',
    orphanSeconds: 5,
    log: createLog('text', 'error', (line) => process.stderr.write(line)),
    describe: () => undefined,
  });
  await engine.start();
  let running = new Map<string, string>();
  return {
    name: 'embedded',
    async run(snapshots, secrets) {
      for (const id of running.values()) await engine.remove(id);
      running = new Map([...snapshots].map(([name, { proxy }]) => [name, proxy.id]));
      for (const [name, snapshot] of snapshots) {
        await engine.applySecrets(snapshot.proxy.id, secrets.get(name) ?? []);
        const result = await engine.apply(snapshot);
        if (!result.applied) throw new Error(`refused: ${result.problems.map((p) => `${p.rule}: ${p.message}`).join('; ')}`);
        await listening(snapshot);
      }
    },
    async stats(proxy) {
      const { body } = await engine.admin(running.get(proxy)!, 'GET', '/stats');
      return readStats(body.toString('utf8'));
    },
    close: () => engine.stop(),
  };
}
