/** A process that runs an Envoy: one that we started, or one that an earlier agent left. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { goneWithin, type OsProcess, ofStranger, signaller } from '../os-process.ts';
import { processIdentity } from '../process-identity.ts';

/**
 * A process that a child of ours, a shell, started: the shell ends when it does, with its exit code.
 *
 * @param pid of the process, not of the shell
 */
export function ofShell(shell: ChildProcess, pid: number): OsProcess {
  const listeners = new Set<(why: string) => void>();
  let why: string | undefined;
  shell.on('exit', (code, name) => {
    why = name ? `killed by ${name}` : exitReason(code ?? 0);
    for (const l of listeners) l(why);
    listeners.clear();
  });
  const alive = (): boolean => why === undefined;
  const signal = signaller(pid, alive);
  const onExit: OsProcess['onExit'] = (listener) => {
    if (why !== undefined) listener(why);
    else listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    ...{ pid, identity: processIdentity(pid) ?? '', alive, onExit, signal },
    async gone(graceMs) {
      // Referenced while somebody waits, so that our own process does not end before it.
      shell.ref();
      const reason = await goneWithin(graceMs, signal, onExit);
      shell.unref();
      return reason;
    },
  };
}

/** What an earlier agent left; undefined when there is no such process any more. @param exitFile where its shell writes its exit code */
export function ofEarlierShell(pid: number, identity: string, exitFile: string): OsProcess | undefined {
  return ofStranger(pid, identity, () => readExit(exitFile));
}

function readExit(file: string): string {
  try {
    return exitReason(Number.parseInt(readFileSync(file, 'utf8'), 10));
  } catch {
    return 'it is there no more';
  }
}

/** A shell's `$?`: above 128 a signal. */
function exitReason(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal ? `killed by ${signal}` : `exit code ${code}`;
}
