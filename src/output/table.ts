/** A header and rows of cells, as istioctl's tables. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

/** Spaces between the widest cell of a column and the next one: what istioctl's tables have. */
const gap = 5;

// biome-ignore lint/suspicious/noControlCharactersInRegex: names from a dump must not steer the terminal
const control = /[\u0000-\u001f\u007f-\u009f]/g;

const printable = (cell: string): string => cell.replace(control, '?');

/** Characters on the screen, as long as they are one wide: code points, not UTF-16 units. */
const width = (cell: string): number => [...cell].length;

/**
 * The table as text: the header first, always; columns padded with spaces; no trailing spaces; nothing is ever cut. The same for
 * terminals and pipes.
 */
export function formatTable(table: Table): string {
  const lines = [table.columns, ...table.rows.map((row) => row.map(printable))];
  const widths: number[] = [];
  for (const line of lines) for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === line.length - 1 ? cell : cell + ' '.repeat(widths[i]! - width(cell) + gap)))
        .join('')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
