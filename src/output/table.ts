import { columns } from './columns.ts';

/** A header and rows of cells, as istioctl's tables. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

/** What istioctl's tables have between their columns. */
const GAP = 5;

/** The table as text: the header first, always, then the rows, each with its line feed. The same for terminals and pipes. */
export function formatTable(table: Table): string {
  return `${columns([table.columns, ...table.rows], GAP)}\n`;
}
