/** Ends the Envoys that an earlier agent left, whoever that was. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { envoyAdmin } from './admin.ts';
import { drainEnvoy } from './drain.ts';
import { ofEarlierShell } from './envoy-process.ts';
import { removeSharedMemory } from './shared-memory.ts';
import { envoyFiles, exitFile, keyOf, readStates, stateFile } from './state.ts';

/** What a process gets for ending by itself before it is killed. */
const END_MS = 5000;

/** Requests in flight get `drainMs`. Returns how many processes were ended. Throws the file system's own errors. */
export async function endEnvoys(dataDirectory: string, drainMs: number): Promise<number> {
  const ended = await Promise.all(
    readStates(dataDirectory).map(async ({ proxyId, name, adminSocket, runs }) => {
      const key = keyOf(proxyId, name);
      const found = runs.flatMap(({ pid, identity, epoch }) => ofEarlierShell(pid, identity, exitFile(dataDirectory, key, epoch)) ?? []);
      const newest = found.at(-1);
      if (newest && drainMs > 0) await drainEnvoy(envoyAdmin(adminSocket), drainMs, () => !newest.alive());
      for (const process of found) process.signal('SIGTERM');
      await Promise.all(found.map((process) => process.gone(END_MS)));
      rmSync(adminSocket, { force: true });
      removeSharedMemory(envoyFiles(dataDirectory, key).baseId);
      rmSync(join(dataDirectory, stateFile(key)), { force: true });
      return found.length;
    }),
  );
  return ended.reduce((sum, n) => sum + n, 0);
}
