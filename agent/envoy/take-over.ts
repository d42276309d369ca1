/** Which of the processes that an earlier agent left is the one to go on with. */
import type { Log } from '../log.ts';
import type { OsProcess } from '../os-process.ts';
import type { EnvoyAdmin } from './admin.ts';
import { ofEarlierShell } from './envoy-process.ts';
import type { EnvoyRun, EnvoyState } from './state.ts';

export interface FoundRun {
  process: OsProcess;
  run: EnvoyRun;
}

/** How long a process that is taken over may take to answer. */
const GREET_MS = 5000;
const ASK_EVERY_MS = 50;

/**
 * The process that answers for this proxy, and those before it, which drain (undefined when none answers). Processes that do not answer
 * are ended, within `endMs`.
 */
export async function findRunning(
  state: EnvoyState,
  at: { admin: EnvoyAdmin; exitFile(epoch: number): string; endMs: number; log: Log },
): Promise<{ mine: FoundRun; older: FoundRun[] } | undefined> {
  const { admin, log } = at;
  const found = state.runs.flatMap((run) => {
    const process = ofEarlierShell(run.pid, run.identity, at.exitFile(run.epoch));
    return process ? [{ process, run }] : [];
  });
  let info = await admin.serverInfo();
  // A hot restart was under way: its new process is the one to talk to, and answers soon.
  for (const until = Date.now() + GREET_MS; found.length > 0 && Date.now() < until; info = await admin.serverInfo()) {
    if (info && info.epoch === found.at(-1)?.run.epoch) break;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  const mine = info?.nodeId === state.proxyId ? found.find((f) => f.run.epoch === info.epoch) : undefined;
  for (const { process, run } of found) {
    if (mine && run.epoch <= mine.run.epoch) continue;
    log.warning('an Envoy of an earlier agent does not answer; it is ended', { proxy: state.name, pid: process.pid });
    process.signal('SIGTERM');
    await process.gone(at.endMs);
  }
  return mine && { mine, older: found.filter((f) => f.run.epoch < mine.run.epoch) };
}
