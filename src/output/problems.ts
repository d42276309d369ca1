/** Problems as people read them: what, where with the line and a caret, and what to do. The only place that formats them. */
import { formatPosition } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { isConfidential } from './confidential.ts';
import { paint, type Style } from './paint.ts';
import { harmless, sourceExcerpt } from './source-excerpt.ts';
import { type LineReader, sourceLines } from './source-lines.ts';

/** How problems are shown. */
export interface ProblemFormat {
  /** Texts by the names that positions use, as for `-` and editors; what is not there is read from disk. */
  sources?: ReadonlyMap<string, string> | undefined;
  color?: boolean;
  /** Columns of the terminal; 100 without it. */
  width?: number;
}

/**
 * All problems, sorted by file and place, with a closing count. Never rejects: where a source cannot be read its line is left out.
 * The text ends without a line break; no problems give an empty text.
 */
export async function formatProblems(problems: readonly Problem[], options: ProblemFormat = {}): Promise<string> {
  if (problems.length === 0) return '';
  const style = paint(options.color);
  const width = Math.max(options.width ?? 100, 20);
  const lineOf = sourceLines(options.sources);
  const blocks: string[] = [];
  for (const problem of sortProblems(problems)) blocks.push(await formatProblem(problem, style, width, lineOf));
  blocks.push(style.bold(countProblems(problems)));
  return blocks.join('\n\n');
}

/** Sorted by file, line and column; errors before warnings at the same place; problems without a position come first. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...problems].sort(
    (a, b) =>
      compare(a.position?.file ?? '', b.position?.file ?? '') ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
      compare(a.severity, b.severity),
  );
}

/** `3 errors and 1 warning in 2 files`. */
export function countProblems(problems: readonly Problem[]): string {
  const errors = problems.filter((p) => p.severity === 'error').length;
  const warnings = problems.length - errors;
  const files = new Set(problems.flatMap((p) => (p.position && p.position.line > 0 ? [p.position.file] : []))).size;
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  const counts = [...(errors > 0 ? [plural(errors, 'error')] : []), ...(warnings > 0 ? [plural(warnings, 'warning')] : [])].join(' and ');
  return files === 0 ? counts : `${counts} in ${plural(files, 'file')}`;
}

/** Problems for programs: the same fields, sorted, with the counts. */
export function problemsToJson(problems: readonly Problem[]): { errors: number; warnings: number; problems: Problem[] } {
  const errors = problems.filter((p) => p.severity === 'error').length;
  return { errors, warnings: problems.length - errors, problems: sortProblems(problems) };
}

async function formatProblem(problem: Problem, style: Style, width: number, lineOf: LineReader): Promise<string> {
  const { severity, rule, message, hint, position, origin, path } = problem;
  const colour = style[severity];
  const lines = [`${colour(`${severity}:`)} ${style.bold(harmless(message))} ${style.dim(`[${rule}]`)}`];
  const where = [position ? formatPosition(position) : undefined, origin, path].filter((part) => part !== undefined);
  if (where.length > 0) lines.push(`  ${harmless(where.join('  '))}`);
  const source = position === undefined || isConfidential(problem) ? undefined : await lineOf(position, rule);
  // An unreadable or empty file has no line that would tell anything.
  if (position !== undefined && source !== undefined && source.trim() !== '') {
    const gutter = String(position.line);
    const excerpt = sourceExcerpt(source, position.column, width - gutter.length - 5);
    lines.push(`  ${style.dim(`${gutter} |`)} ${excerpt.line}`);
    lines.push(`  ${' '.repeat(gutter.length)} ${style.dim('|')} ${' '.repeat(excerpt.caret)}${colour('^')}`);
  }
  if (hint !== undefined) lines.push(`  ${harmless(hint)}`);
  return lines.join('\n');
}
