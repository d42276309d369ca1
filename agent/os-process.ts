/** A process of the data plane, whoever started it: whether it lives, when it ends, how to end it. */
import { processIdentity } from './process-identity.ts';

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
/** The same while somebody waits for its end. */
const WAIT_LOOK_MS = 20;

/** A process that an earlier agent started; undefined when it is there no more. @param whyGone asked once it has ended */
export function ofStranger(pid: number, identity: string | undefined, whyGone: () => string): OsProcess | undefined {
  const alive = (): boolean => identity !== undefined && processIdentity(pid) === identity;
  if (identity === undefined || !alive()) return undefined;
  const watch = (everyMs: number, listener: (why: string) => void): (() => void) => {
    const timer = setInterval(() => {
      if (alive()) return;
      clearInterval(timer);
      listener(whyGone());
    }, everyMs);
    return () => clearInterval(timer);
  };
  const signal = signaller(pid, alive);
  return {
    ...{ pid, identity, alive, signal },
    onExit: (listener) => watch(LOOK_MS, listener),
    gone: (graceMs) => goneWithin(graceMs, signal, (listener) => watch(WAIT_LOOK_MS, listener)),
  };
}

/** Sends a signal to a process that still is the one it is meant for. */
export function signaller(pid: number, alive: () => boolean): OsProcess['signal'] {
  return (name) => {
    try {
      if (alive()) process.kill(pid, name);
    } catch {
      // Gone meanwhile.
    }
  };
}

/** Waits for the end that `onExit` tells, and has it come after `graceMs`. */
export function goneWithin(
  graceMs: number,
  signal: OsProcess['signal'],
  onExit: (listener: (why: string) => void) => unknown,
): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => signal('SIGKILL'), graceMs);
    onExit((why) => {
      clearTimeout(timer);
      resolve(why);
    });
  });
}
