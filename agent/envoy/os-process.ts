/** A process that runs an Envoy: one that we started, or one that an earlier agent left. */
import type { ChildProcess } from 'node:child_process';
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

/** Undefined when it could not be started at all. */
export function ofChild(child: ChildProcess): OsProcess | undefined {
  const { pid } = child;
  if (pid === undefined) return undefined;
  const listeners = new Set<(why: string) => void>();
  let why: string | undefined;
  child.on('exit', (code, signal) => {
    why = signal ? `killed by ${signal}` : `exit code ${code}`;
    for (const l of listeners) l(why);
    listeners.clear();
  });
  return fromEnd(pid, processIdentity(pid) ?? '', () => why === undefined, {
    hold: (held) => (held ? child.ref() : child.unref()),
    onExit(listener) {
      if (why !== undefined) listener(why);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
}

/** Undefined when there is no such process any more. */
export function ofStranger(pid: number, identity: string): OsProcess | undefined {
  const alive = (): boolean => processIdentity(pid) === identity;
  if (!alive()) return undefined;
  return fromEnd(pid, identity, alive, {
    hold: () => undefined,
    onExit(listener) {
      const timer = setInterval(() => {
        if (alive()) return;
        clearInterval(timer);
        listener('it was there no more');
      }, LOOK_MS);
      return () => clearInterval(timer);
    },
  });
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
