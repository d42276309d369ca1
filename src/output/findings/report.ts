import type { Finding } from '../../analysis/finding.ts';

/** What an analysis gives, for the formats. */
export interface FindingsReport {
  /** In the order to show. */
  readonly findings: readonly Finding[];
  /** How many were hidden: by suppressions, and by a baseline. */
  readonly suppressed: number;
  readonly known: number;
  /** Files and objects that were looked at. */
  readonly files: number;
  readonly resources: number;
  /** Objects of kinds that a mesh does not read, counted by `apiVersion/Kind`. */
  readonly skipped: ReadonlyMap<string, number>;
  /** What could not be checked, in a few words each. */
  readonly unchecked?: readonly string[];
  /** What was looked at, for messages. */
  readonly paths: readonly string[];
}

/** How findings are shown. */
export interface FindingsFormat {
  /** Texts by file, for what cannot be read again. */
  readonly sources?: ReadonlyMap<string, string> | undefined;
  readonly color?: boolean | undefined;
  /** Columns of the terminal; 100 without it. */
  readonly width?: number | undefined;
  /** Fairlead's, for tools that note who found something. */
  readonly version: string;
}

/** `3 findings`, `1 finding`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
