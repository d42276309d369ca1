/**
 * Resolves with the first of these signals, or with undefined when `other` settles first. A second SIGINT ends the process at
 * once: whoever presses Ctrl-C twice does not want to wait.
 */
export function untilSignal(signals: readonly NodeJS.Signals[], other: Promise<unknown>): Promise<NodeJS.Signals | undefined> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals | undefined): void => {
      resolve(signal);
      process.once('SIGINT', () => process.exit(130));
    };
    for (const signal of signals) process.once(signal, () => stop(signal));
    void other.then(() => resolve(undefined));
  });
}
