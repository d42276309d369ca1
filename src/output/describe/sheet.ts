/** Descriptions as sections of rows: a word, a text, and where it is from. */
import type { Origin } from '../../explain/types.ts';
import { type Canvas, paint, type Style, wrap } from '../explain/paint.ts';
import { positionText, resourceText } from '../explain/words.ts';

export interface Row {
  /** How far to the right, in steps. */
  readonly level?: number;
  /** What the text is about; the words of one section stand below each other. */
  readonly word?: string;
  readonly text: string;
  readonly origin?: Origin | undefined;
  readonly style?: Style | undefined;
  /** Leaves the resource's name out: the text has it. */
  readonly placeOnly?: boolean;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

const STEP = 3;
/** From this width on positions stand at the right margin, else below. */
const WIDE = 120;
/** Below this a text is not squeezed any further. */
const NARROWEST = 20;

/** Sections without rows are left out; there is a blank line between two. */
export function sheet(title: Row, sections: readonly Section[], canvas: Canvas): string {
  const shown = sections.filter((section) => section.rows.length > 0);
  return [
    rowLines({ ...title, style: title.style ?? 'bold' }, 0, 0, canvas),
    ...shown.map(({ title: name, rows }) => ['', paint(canvas, 'bold', name), ...sectionLines(rows, canvas)]),
  ]
    .flat()
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Words are as wide as the widest of their level, within reason. */
function sectionLines(rows: readonly Row[], canvas: Canvas): string[] {
  const widths = new Map<number, number>();
  for (const { word = '', level = 0 } of rows) if (word.length <= 16) widths.set(level, Math.max(widths.get(level) ?? 0, word.length));
  return rows.flatMap((row) => rowLines(row, 1 + (row.level ?? 0), widths.get(row.level ?? 0) ?? 0, canvas));
}

function rowLines(row: Row, level: number, wordWidth: number, canvas: Canvas): string[] {
  const { word = '', text, origin, style } = row;
  const indent = ' '.repeat(level * STEP);
  const width = word === '' ? 0 : Math.max(word.length, wordWidth) + 2;
  const start = indent.length + width;
  const room = Math.max(NARROWEST, canvas.width - start);
  const lines = wrap(text, room);
  const shown = lines.map((line, i) => {
    const body = style === undefined ? line : paint(canvas, style, line);
    return i === 0 ? `${indent}${width === 0 ? '' : paint(canvas, 'dim', word.padEnd(width))}${body}` : `${' '.repeat(start)}${body}`;
  });
  if (origin === undefined) return shown;
  const name = row.placeOnly ? '' : resourceText(origin);
  const position = positionText(origin) ?? '';
  const plain = [name, position].filter((part) => part !== '').join('  ');
  if (plain === '') return shown;
  const painted = [name === '' ? '' : paint(canvas, 'dim', name), position === '' ? '' : paint(canvas, 'cyan', position)].filter(
    (part) => part !== '',
  );
  const used = start + lines.at(-1)!.length;
  if (canvas.width >= WIDE && used + 3 + plain.length <= canvas.width) {
    shown[shown.length - 1] += `${' '.repeat(canvas.width - used - plain.length)}${painted.join('  ')}`;
    return shown;
  }
  if (used + 3 + plain.length <= canvas.width && lines.length === 1) {
    shown[0] += `   ${painted.join('  ')}`;
    return shown;
  }
  // A position is never cut: it is there to be clicked on.
  const pad = ' '.repeat(start);
  if (start + plain.length <= canvas.width) return [...shown, pad + painted.join('  ')];
  const names = name === '' ? [] : wrap(name, Math.max(NARROWEST, canvas.width - start)).map((part) => paint(canvas, 'dim', part));
  return [...shown, ...names.map((part) => pad + part), ...(position === '' ? [] : [pad + paint(canvas, 'cyan', position)])];
}
