/** What can be typed after `fairlead`, from the manifest: the base of every shell's completion script. */
import type { Command } from '@oclif/core/command';
import type { Manifest } from '../manifest.ts';

export interface FlagCompletion {
  /** `--output`, and `-o` when it has a letter. */
  readonly names: readonly string[];
  readonly description: string;
  /** undefined: takes no value; empty: any value, file names are offered. */
  readonly values: readonly string[] | undefined;
}

/** One point on the way to a command: a topic (`proxy-config`) or a command (`proxy-config route`). */
export interface Completion {
  /** Separated by spaces; empty for `fairlead` itself. */
  readonly words: string;
  /** What may follow, with a sentence about each. */
  readonly next: readonly { readonly word: string; readonly description: string }[];
  readonly flags: readonly FlagCompletion[];
}

/** Every topic and command, aliases too: those are understood, and offered where they stand in for a topic (`pc route`). */
export function completions(manifest: Manifest): Completion[] {
  const points = new Map<string, { next: Map<string, string>; flags: readonly FlagCompletion[] }>();
  const at = (words: string) => {
    const point = points.get(words) ?? { next: new Map(), flags: [] };
    points.set(words, point);
    return point;
  };
  at('');
  for (const [id, command] of Object.entries(manifest.commands)) {
    if (command.hidden) continue;
    const flags = flagsOf(command);
    const description = sentence(command.summary ?? command.description ?? '');
    for (const name of [id, ...command.aliases]) {
      const parts = name.split(':');
      at(parts.join(' ')).flags = flags;
      for (let i = 0; i < parts.length; i++) {
        const [before, word] = [parts.slice(0, i).join(' '), parts[i] as string];
        const last = i === parts.length - 1;
        const offered = name === id || (parts.length > 1 && word === id.split(':').at(-1));
        const next = at(before).next;
        if (offered && !next.has(word) && (name === id || last)) next.set(word, last ? description : '');
      }
    }
  }
  return [...points]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([words, { next, flags }]) => ({
      words,
      next: [...next].map(([word, description]) => ({ word, description })),
      flags,
    }));
}

function flagsOf(command: Command.Cached): FlagCompletion[] {
  return Object.values(command.flags)
    .filter((flag) => !flag.hidden)
    .map((flag) => ({
      names: [
        `--${flag.name}`,
        ...(flag.char ? [`-${flag.char}`] : []),
        ...(flag.type === 'boolean' && flag.allowNo ? [`--no-${flag.name}`] : []),
      ],
      description: sentence(flag.summary ?? flag.description ?? ''),
      values: flag.type === 'boolean' ? undefined : (flag.options ?? []),
    }))
    .concat({ names: ['--help'], description: 'show what the command does', values: undefined });
}

/** One line without the full stop. */
function sentence(text: string): string {
  return (text.split('\n')[0] ?? '').trim().replace(/\.$/, '');
}
