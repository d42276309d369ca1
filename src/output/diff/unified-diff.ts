import { createTwoFilesPatch } from 'diff';
import { harmless } from '../source-excerpt.ts';

/** A change of one file's text; undefined is no file. */
export interface TextChange {
  file: string;
  before: string | undefined;
  after: string | undefined;
}

const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const CYAN = '\u001b[36m';
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/** Unified diffs as `git diff` and `patch` read them, three lines of context. Empty when nothing changes. */
export function unifiedDiff(changes: readonly TextChange[], color: boolean): string {
  return changes
    .filter(({ before, after }) => before !== after)
    .map(({ file, before, after }) => {
      const from = before === undefined ? '/dev/null' : `a/${file}`;
      const to = after === undefined ? '/dev/null' : `b/${file}`;
      const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, { context: 3 });
      const lines = patch.split('\n').filter((line) => !/^=+$/.test(line));
      return lines.map((line) => (color ? colored(harmless(line)) : line)).join('\n');
    })
    .join('');
}

function colored(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---')) return `${BOLD}${line}${RESET}`;
  if (line.startsWith('@@')) return `${CYAN}${line}${RESET}`;
  if (line.startsWith('+')) return `${GREEN}${line}${RESET}`;
  return line.startsWith('-') ? `${RED}${line}${RESET}` : line;
}
