/** How `wait` tells its end. */
export interface ShownWait {
  readonly result: 'applied' | 'refused' | 'deadline';
  readonly took: number;
  readonly config: { readonly files: number; readonly resources: number };
  readonly proxies: readonly { readonly name: string; readonly sync: string }[];
  readonly waiting: readonly string[];
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** One sentence; why something was refused is told apart. */
export function waitText({ result, took, config, proxies, waiting }: ShownWait, name: string | undefined): string {
  const of = `${config.resources} resource${config.resources === 1 ? '' : 's'} of ${config.files} file${config.files === 1 ? '' : 's'}`;
  const who = name ?? `every proxy (${proxies.length})`;
  if (result === 'applied') return `${who} has applied the configuration: ${of}, ${seconds(took)}`;
  if (result === 'refused') return `the configuration was refused after ${seconds(took)}; what ran before runs on`;
  return `not applied after ${seconds(took)}; still waiting for ${someOf(waiting)}`;
}

/** `waiting for web.default (3.2 s)`. */
export const progressText = (waiting: readonly string[], elapsed: number): string => `waiting for ${someOf(waiting)} (${seconds(elapsed)})`;

const MOST = 5;
const someOf = (names: readonly string[]): string =>
  names.length <= MOST ? names.join(', ') || 'the agent' : `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
