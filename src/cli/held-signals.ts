/** Signals that come while a command that runs until it is ended is still being loaded. */

const NAMES = ['SIGINT', 'SIGTERM'] as const;
let held: NodeJS.Signals | undefined;

/**
 * Keeps SIGINT and SIGTERM for commands whose usual end they are, until `takeHeldSignal`: the exit code must not depend on how early
 * Ctrl-C comes. Any other command is ended by them as every process is.
 * @param argv without node and script
 */
export function holdSignals(argv: readonly string[]): void {
  const [first = '', second] = argv;
  if (first !== 'up' && first !== 'agent:run' && !(first === 'agent' && second === 'run')) return;
  for (const name of NAMES) process.on(name, hold);
}

/** The first one that was kept. From here on signals are the caller's, who listens to them already. */
export function takeHeldSignal(): NodeJS.Signals | undefined {
  for (const name of NAMES) process.off(name, hold);
  return held;
}

function hold(name: NodeJS.Signals): void {
  held ??= name;
}
