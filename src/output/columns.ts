// biome-ignore lint/suspicious/noControlCharactersInRegex: names from a dump must not steer the terminal
const control = /[\u0000-\u001f\u007f-\u009f]/g;

const printable = (cell: string): string => cell.replace(control, '?');

/** Characters on the screen, as long as they are one wide: code points, not UTF-16 units. */
const width = (cell: string): number => [...cell].length;

/**
 * Rows as columns padded with spaces, no rules: what hands and scripts expect of a status table. No trailing spaces, nothing is ever
 * cut, no line feed at the end.
 * @param gap spaces between the widest cell of a column and the next one
 */
export function columns(rows: readonly (readonly string[])[], gap = 3): string {
  const lines = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const line of lines) for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  const padded = (cell: string, i: number): string => cell + ' '.repeat(widths[i]! - width(cell) + gap);
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === line.length - 1 ? cell : padded(cell, i)))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}
