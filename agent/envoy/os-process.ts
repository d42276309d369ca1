/** A process that runs an Envoy: one that we started, or one that an earlier agent left. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { processIdentity } from '../process-identity.ts';

export interface OsProcess {
  readonly pid: number;
  /** Tells it from a later one with the same id. */
  readonly identity: string;
  alive(): boolean;
  /** Called once when it has ended. Returns the function that ends the watch. */
  onExit(listener: (why: string) => void): () => void;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the reason once it is gone; it is killed when it is still there after `graceMs`. */
  gone(graceMs: number): Promise<string>;
}

/** How often a process that is no child is looked at: its parent was another agent, so the kernel tells us nothing. */
const LOOK_MS = 100;

/**
 * A process that a child of ours, a shell, started: the shell ends when it does, with its exit code.
 *
 * @param pid of the process, not of the shell
 */
export function ofShell(shell: ChildProcess, pid: number): OsProcess {
  const listeners = new Set<(why: string) => void>();
  let why: string | undefined;
  shell.on('exit', (code, signal) => {
    why = signal ? `killed by ${signal}` : exitReason(code ?? 0);
    for (const l of listeners) l(why);
    listeners.clear();
  });
  return fromEnd(pid, processIdentity(pid) ?? '', () => why === undefined, {
    hold: (held) => (held ? shell.ref() : shell.unref()),
    onExit(listener) {
      if (why !== undefined) listener(why);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
}

/** Undefined when there is no such process any more. @param exitFile where its shell writes its exit code */
export function ofStranger(pid: number, identity: string, exitFile: string): OsProcess | undefined {
  const alive = (): boolean => processIdentity(pid) === identity;
  if (!alive()) return undefined;
  return fromEnd(pid, identity, alive, {
    hold: () => undefined,
    onExit(listener) {
      const timer = setInterval(() => {
        if (alive()) return;
        clearInterval(timer);
        listener(readExit(exitFile));
      }, LOOK_MS);
      return () => clearInterval(timer);
    },
  });
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

interface End {
  /** Whether our own process stays for it. */
  hold(held: boolean): void;
  onExit: OsProcess['onExit'];
}

function fromEnd(pid: number, identity: string, alive: () => boolean, end: End): OsProcess {
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (alive()) process.kill(pid, name);
    } catch {
      // Gone meanwhile.
    }
  };
  return {
    pid,
    identity,
    alive,
    onExit: end.onExit,
    signal,
    gone: (graceMs) =>
      new Promise((resolve) => {
        end.hold(true);
        const timer = setTimeout(() => signal('SIGKILL'), graceMs);
        end.onExit((why) => {
          clearTimeout(timer);
          end.hold(false);
          resolve(why);
        });
      }),
  };
}
