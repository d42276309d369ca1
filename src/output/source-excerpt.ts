import { displayWidth } from './display-width.ts';

/** A line as shown, and how many columns are before its caret. */
export interface Excerpt {
  line: string;
  caret: number;
}

const TAB = 4;

/**
 * One source line for showing under an error, at most `width` columns: tabs become spaces, characters that would steer the terminal
 * become `\uFFFD`, and a long line is cut around the caret. `column` is 1-based and counts UTF-16 units.
 */
export function sourceExcerpt(line: string, column: number, width: number): Excerpt {
  const cells: { text: string; width: number }[] = [];
  let total = 0;
  let caret = -1;
  let caretCell = -1;
  let unit = 0;
  for (const character of line) {
    if (caret === -1 && unit + character.length >= column) {
      caret = total;
      caretCell = cells.length;
    }
    const cell = cellOf(character, total);
    cells.push(cell);
    total += cell.width;
    unit += character.length;
  }
  if (caret === -1) {
    // Behind the end of the line.
    caret = total;
    caretCell = cells.length;
  }
  if (total < width || (total === width && caret < total))
    return {
      line: cells
        .map((c) => c.text)
        .join('')
        .trimEnd(),
      caret,
    };
  return cut(cells, caretCell, caret, Math.max(width, 10));
}

function cellOf(character: string, at: number): { text: string; width: number } {
  if (character === '\t') {
    const width = TAB - (at % TAB);
    return { text: ' '.repeat(width), width };
  }
  return { text: harmless(character), width: displayWidth(character) };
}

/** Keeps about two thirds of the room for what is before the caret, where the context is. */
function cut(cells: readonly { text: string; width: number }[], caretCell: number, caret: number, width: number): Excerpt {
  let first = caretCell;
  let before = 0;
  const room = Math.floor(((width - 2) * 2) / 3);
  while (first > 0 && before + cells[first - 1]!.width <= room) before += cells[--first]!.width;
  const lead = first > 0 ? '…' : '';
  let used = before + lead.length;
  let last = caretCell;
  while (last < cells.length && used + cells[last]!.width <= width - 1) used += cells[last++]!.width;
  const text = cells
    .slice(first, last)
    .map((c) => c.text)
    .join('');
  return { line: `${lead}${text}${last < cells.length ? '…' : ''}`.trimEnd(), caret: first > 0 ? before + 1 : caret };
}

/** Text without characters that move the cursor, change colours or the direction of writing. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '\ufffd');
}
