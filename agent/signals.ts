/** Signals as values, so that whoever runs something decides what they mean. */
import { constants } from 'node:os';
import { takeHeldSignal } from '../src/cli/held-signals.ts';

export interface Signals {
  /** The first of them; undefined when it was closed before any came. */
  readonly first: Promise<NodeJS.Signals | undefined>;
  /** Aborted by the first of them, with a `Stopped` as reason. */
  readonly abort: AbortSignal;
  /** Called when another one comes after the first: whoever presses Ctrl-C twice does not want to wait. */
  onSecond(act: () => void): void;
  /** They have their usual effect again. Idempotent. */
  close(): void;
}

/** Why a start was given up: not an error to report, but the end that was asked for. */
export class Stopped extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/** Listens from now on, and to one that came while the command was loaded. */
export function listenToSignals(names: readonly NodeJS.Signals[]): Signals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals | undefined>();
  const controller = new AbortController();
  let second: (() => void) | undefined;
  const came = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) second?.();
    else {
      resolve(signal);
      controller.abort(new Stopped(signal));
    }
  };
  for (const name of names) process.on(name, came);
  const early = takeHeldSignal();
  if (early !== undefined) came(early);
  return {
    first: promise,
    abort: controller.signal,
    onSecond(act) {
      second = act;
    },
    close() {
      for (const name of names) process.off(name, came);
      resolve(undefined);
    },
  };
}

/** What a shell gives a process that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
