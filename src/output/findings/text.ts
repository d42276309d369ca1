import type { Finding, Level } from '../../analysis/finding.ts';
import { LEVELS } from '../../analysis/finding.ts';
import { formatPosition } from '../../config/resource.ts';
import { isConfidential } from '../confidential.ts';
import { paint, type Style } from '../paint.ts';
import { harmless, sourceExcerpt } from '../source-excerpt.ts';
import { type LineReader, sourceLines } from '../source-lines.ts';
import { type FindingsFormat, type FindingsReport, plural } from './report.ts';

const STYLES = { Error: 'error', Warning: 'warning', Info: 'info' } as const satisfies Record<Level, keyof Style>;
const WORDS: Record<Level, string> = { Error: 'error', Warning: 'warning', Info: 'note' };

/** Findings for people: what, where with the line and a caret, what else has to do with it, and what to do; then how many there are. */
export async function* findingsText(report: FindingsReport, format: FindingsFormat): AsyncGenerator<string, void> {
  const style = paint(format.color);
  const width = Math.max(format.width ?? 100, 20);
  const lineOf = sourceLines(format.sources);
  for (const finding of report.findings) yield `${await findingText(finding, style, width, lineOf)}\n\n`;
  yield `${summary(report, style)}\n`;
}

async function findingText(finding: Finding, style: Style, width: number, lineOf: LineReader): Promise<string> {
  const { level, code, message, origin, position, path, related, hint } = finding;
  const color = style[STYLES[level]];
  const lines = [`${color(`${level}:`)} ${style.bold(harmless(message))} ${style.dim(`[${code}]`)}`];
  const where = [position === undefined ? undefined : formatPosition(position), origin.startsWith('File ') ? undefined : origin, path];
  const shown = where.filter((part) => part !== undefined && part !== '').join('  ');
  if (shown !== '') lines.push(`  ${harmless(shown)}`);
  const source = position === undefined || isConfidential(finding) ? undefined : await lineOf(position, code);
  if (position !== undefined && source !== undefined && source.trim() !== '') {
    const gutter = String(position.line);
    const excerpt = sourceExcerpt(source, position.column, width - gutter.length - 5);
    lines.push(`  ${style.dim(`${gutter} |`)} ${excerpt.line}`);
    lines.push(`  ${' '.repeat(gutter.length)} ${style.dim('|')} ${' '.repeat(excerpt.caret)}${color('^')}`);
  }
  for (const place of related) lines.push(`  ${harmless(`${formatPosition(place.position)}  ${place.origin}: ${place.note}`)}`);
  if (hint !== undefined) lines.push(`  ${harmless(hint)}`);
  return lines.join('\n');
}

function summary({ findings, suppressed, known, files, resources, skipped, unchecked = [], paths }: FindingsReport, style: Style): string {
  const lines: string[] = [];
  const counts = LEVELS.map((level) => ({ word: WORDS[level], count: findings.filter((f) => f.level === level).length }));
  const found = counts.filter(({ count }) => count > 0).map(({ count, word }) => plural(count, word));
  if (found.length > 0) {
    const inFiles = new Set(findings.flatMap(({ position }) => (position === undefined || position.line === 0 ? [] : [position.file])))
      .size;
    const text = found.length > 1 ? `${found.slice(0, -1).join(', ')} and ${found.at(-1)}` : found[0]!;
    lines.push(style.bold(inFiles === 0 ? text : `${text} in ${plural(inFiles, 'file')}`));
  } else if (files === 0 && resources > 0) {
    lines.push(`nothing found in ${plural(resources, 'resource')} of ${paths.join(', ')}`);
  } else if (files === 0) {
    lines.push(`there is nothing to analyze: no .yaml, .yml or .json file in ${paths.join(', ')}`);
  } else if (resources === 0 && skipped.size === 0) {
    lines.push(`there is nothing to analyze: no resource of a mesh in ${plural(files, 'file')}`);
  } else {
    lines.push(`nothing found in ${plural(resources, 'resource')} of ${plural(files, 'file')}`);
  }
  if (suppressed > 0) lines.push(style.dim(`${plural(suppressed, 'finding')} suppressed`));
  if (known > 0) lines.push(style.dim(`${plural(known, 'finding')} of the baseline not shown`));
  if (skipped.size > 0) lines.push(style.dim(skippedText(skipped)));
  if (unchecked.length > 0) lines.push(style.dim(`not checked: ${unchecked.join(', ')}; --complete checks it all the same`));
  return lines.join('\n');
}

/** Which objects were not looked at, and how many of each kind; for the formats that have no place for it too. */
export function skippedText(skipped: FindingsReport['skipped']): string {
  const names = [...skipped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${harmless(name)} (${count})`);
  return `not analyzed, since a mesh does not read them: ${names.join(', ')}`;
}
