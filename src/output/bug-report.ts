/** What a bug report has, for people. */
import { columns } from './columns.ts';

export interface ShownReport {
  readonly path: string | undefined;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly what: string; readonly bytes?: number; readonly note?: string }[];
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  readonly notes: readonly string[];
  readonly redacted: number;
}

const MOST = 20;

/** `12 KiB`, `3.4 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${Math.round(kib)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** What was written, or with `--dry-run` what would be. */
export function bugReportText({ path, size, files, leftOut, notes, redacted }: ShownReport): string {
  const out = leftOut.slice(0, MOST).map((one) => `  ${one.path}: ${one.why}`);
  if (leftOut.length > MOST) out.push(`  and ${leftOut.length - MOST} more`);
  const without = leftOut.length === 0 ? [] : ['', `left out, ${count(leftOut.length, 'file')}:`, ...out];
  const said = notes.length === 0 ? [] : ['', ...notes.map((note) => `note: ${note}`)];
  if (path === undefined)
    return [
      `would go in, ${count(files.length, 'file')}:`,
      columns(files.map((file) => [`  ${file.path}`, file.what])),
      ...without,
      ...said,
    ].join('\n');
  return [
    `${path}  ${sizeText(size)}, ${count(files.length, 'file')}, ${count(redacted, 'secret')} taken out`,
    ...without,
    ...said,
    '',
    'Look through it before you hand it on: names of hosts, services and files are in it, and manifest.json lists every file.',
  ].join('\n');
}
