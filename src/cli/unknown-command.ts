/** What to say to a command line whose command there is not. */
import { closest, distance } from 'fastest-levenshtein';
import { commandIds } from './command-ids.ts';

/**
 * The sentence and the advice: the nearest command when one is near, else where all are listed.
 * @param argv as typed, without node and script
 */
export function unknownCommand(argv: readonly string[]): { message: string; next: string } {
  const typed = leadingWords(argv[0] === 'help' ? argv.slice(1) : argv);
  const ids = commandIds();
  const known = longestCommand(typed, ids);
  if (known !== '') {
    const extra = typed.slice(known.split(' ').length)[0] ?? '';
    const config = known === 'agent run' ? ` Configuration is named with a flag: \`fairlead agent run -f ${extra}\`.` : '';
    return {
      message: `\`fairlead ${known}\` takes no argument ${JSON.stringify(extra)}`,
      next: `See \`fairlead ${known} --help\`.${config}`,
    };
  }
  if (typed.length === 0) {
    const first = argv[0] ?? '';
    const message = first === '' ? 'the command is an empty word' : `${first} is no flag of fairlead itself`;
    return { message, next: 'See `fairlead --help` for all commands.' };
  }
  const near = nearest(typed, ids);
  const advice = near === undefined ? '' : `Did you mean \`fairlead ${near}\`? `;
  return { message: `there is no command \`${typed.slice(0, 2).join(' ')}\``, next: `${advice}See \`fairlead --help\` for all commands.` };
}

/** The command that these words begin with, as people type it; empty when there is none. */
export function longestCommand(words: readonly string[], ids: readonly string[] = commandIds()): string {
  for (let n = Math.min(words.length, 2); n > 0; n--) {
    const name = words.slice(0, n).join(' ');
    if (ids.includes(name)) return name;
  }
  return '';
}

/** The words before the first flag. */
export function leadingWords(argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => word.startsWith('-') || word === '');
  return argv.slice(0, end === -1 ? argv.length : end);
}

/** Commands and topics (`agent`); one is near when at most a third of its letters differ. */
function nearest(typed: readonly string[], ids: readonly string[]): string | undefined {
  const topics = ids.flatMap((id) => (id.includes(' ') ? [id.slice(0, id.indexOf(' '))] : []));
  const names = [...new Set([...ids, ...topics])].filter((name) => name.length > 1);
  for (const n of [2, 1]) {
    const text = typed.slice(0, n).join(' ');
    const found = names.length === 0 ? '' : closest(text, names);
    if (found !== '' && distance(text, found) <= Math.max(1, Math.floor(found.length / 3))) return found;
  }
  return undefined;
}
