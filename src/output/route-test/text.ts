/** What tests of routes came to, as people read it. */
import { formatPosition } from '../../config/resource.ts';
import type { CaseFailure, Coverage, CoverageCount, Reason, TestReport, TestResult } from '../../explain/test/types.ts';
import { type Canvas, paint, printable, wrap } from '../explain/paint.ts';
import { positionText, resourceText } from '../explain/words.ts';

/** How it is shown. */
export interface TestFormat extends Canvas {
  /** Only what failed, and the coverage that was asked for. */
  readonly quiet?: boolean;
}

/** More passed tests are told by their files. */
const MOST_NAMES = 40;
/** More failed requests of one test are counted. */
const MOST_CASES = 3;

/** The whole report; the last line says how it ended. */
export function testText(report: TestReport, canvas: TestFormat): string {
  const lines: string[] = [];
  for (const [file, tests] of byFile(report.tests)) lines.push(...fileText(file, tests, report.tests.length > MOST_NAMES, canvas));
  for (const note of report.notes) lines.push(...bullet(`not evaluated: ${note}`, canvas));
  if (report.notes.length > 0) lines.push('');
  if (report.coverage !== undefined) lines.push(...coverageText(report.coverage, canvas), '');
  if (!canvas.quiet || report.failed > 0) lines.push(endText(report, canvas));
  return `${lines.join('\n')}\n`;
}

function byFile(tests: readonly TestResult[]): Map<string, TestResult[]> {
  const files = new Map<string, TestResult[]>();
  for (const test of tests) {
    const known = files.get(test.file);
    if (known === undefined) files.set(test.file, [test]);
    else known.push(test);
  }
  return files;
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

function fileText(file: string, tests: readonly TestResult[], short: boolean, canvas: TestFormat): string[] {
  const failed = tests.filter((test) => !test.passed);
  const passed = tests.length - failed.length;
  if (canvas.quiet && failed.length === 0) return [];
  const requests = tests.reduce((n, test) => n + test.requests, 0);
  const mark = failed.length === 0 ? paint(canvas, 'green', '✓') : paint(canvas, 'red', '✗');
  const lines = [
    `${mark}  ${paint(canvas, 'bold', printable(file))}  ${paint(canvas, 'dim', `${count(tests.length, 'test')}, ${count(requests, 'request')}`)}`,
  ];
  if (!canvas.quiet && !short && passed > 0) for (const test of tests) if (test.passed) lines.push(...passedText(test, canvas));
  for (const test of failed) lines.push(...failedText(test, canvas));
  lines.push('');
  return lines;
}

function passedText({ name, requests }: TestResult, canvas: Canvas): string[] {
  const [first = '', ...rest] = wrap(name, canvas.width - 6);
  const many = requests > 1 ? paint(canvas, 'dim', `  ${requests} requests`) : '';
  const lines = [first, ...rest].map((line, i) => `${i === 0 ? `   ${paint(canvas, 'green', '✓')}  ` : '      '}${line}`);
  lines[lines.length - 1] += many;
  return lines;
}

function failedText({ name, requests, failed, failures }: TestResult, canvas: Canvas): string[] {
  const [first = '', ...rest] = wrap(name, canvas.width - 6);
  const lines = [
    `   ${paint(canvas, 'red', '✗')}  ${paint(canvas, ['red', 'bold'], first)}`,
    ...rest.map((line) => `      ${paint(canvas, ['red', 'bold'], line)}`),
  ];
  if (requests > 1) lines.push(`      ${paint(canvas, 'dim', `${failed} of ${requests} requests failed`)}`);
  for (const failure of failures.slice(0, MOST_CASES)) lines.push(...caseText(failure, canvas));
  if (failed > MOST_CASES) lines.push(`      ${paint(canvas, 'dim', `and ${failed - MOST_CASES} more`)}`);
  return lines;
}

const INDENT = 8;
const LABEL = 10;

function caseText({ asked, proxy, failures, rule, reasons }: CaseFailure, canvas: Canvas): string[] {
  const lines = ['', ...wrap(`${asked}  at ${proxy}`, canvas.width - 6).map((line) => `      ${paint(canvas, 'bold', line)}`)];
  for (const { field, expected, actual, position } of failures) {
    lines.push(`${' '.repeat(INDENT)}${paint(canvas, 'yellow', field)}  ${paint(canvas, 'cyan', formatPosition(position))}`);
    lines.push(...row('expected', expected, canvas, 'green'), ...row('is', actual, canvas, 'red'));
  }
  if (rule !== undefined) {
    const where = positionText(rule);
    lines.push(...row('decided by', resourceText(rule), canvas));
    if (where !== undefined) lines.push(`${' '.repeat(INDENT + LABEL + 2)}${paint(canvas, 'cyan', where)}`);
  }
  const decided = reasons.filter(({ kind }) => kind === 'decided');
  const almost = reasons.filter(({ kind }) => kind === 'almost');
  decided.forEach((reason, i) => {
    lines.push(...row(i === 0 ? 'because' : '', reason.text, canvas));
  });
  almost.forEach((reason, i) => {
    lines.push(...row(i === 0 ? 'almost' : '', almostText(reason), canvas));
  });
  return lines;
}

function almostText({ text, origin }: Reason): string {
  const where = origin === undefined ? undefined : positionText(origin);
  return where === undefined ? text : `${text} (${where})`;
}

function row(label: string, text: string, canvas: Canvas, style?: 'green' | 'red'): string[] {
  const [first = '', ...rest] = wrap(text, canvas.width - INDENT - LABEL - 2);
  const shown = (line: string): string => (style === undefined ? line : paint(canvas, style, line));
  const pad = ' '.repeat(INDENT);
  return [
    `${pad}${paint(canvas, 'dim', label.padEnd(LABEL))}  ${shown(first)}`,
    ...rest.map((line) => `${pad}${' '.repeat(LABEL + 2)}${shown(line)}`),
  ];
}

function bullet(text: string, canvas: Canvas): string[] {
  const [first = '', ...rest] = wrap(text, canvas.width - 3);
  return [`${paint(canvas, 'yellow', '!')}  ${first}`, ...rest.map((line) => `   ${line}`)];
}

/** 99.96 % is not all of it. */
export const percentText = (percent: number): string => `${percent === 100 ? 100 : (Math.floor(percent * 10) / 10).toFixed(1)} %`;

function coverageText(coverage: Coverage, canvas: Canvas): string[] {
  const rows: [string, CoverageCount][] = [
    ['routes', coverage.routes],
    ['destinations', coverage.destinations],
    ['policies', coverage.policies],
  ];
  const digits = Math.max(...rows.flatMap(([, { total, tested }]) => [String(total).length, String(tested).length]));
  const lines = [`${paint(canvas, 'bold', 'coverage')}  ${percentText(coverage.percent)}`];
  for (const [name, { total, tested }] of rows) {
    if (total === 0) continue;
    const numbers = `${String(tested).padStart(digits)} of ${String(total).padStart(digits)}`;
    lines.push(
      `   ${name.padEnd(12)}  ${paint(canvas, tested === total ? 'green' : 'yellow', numbers)}  ${percentText((tested / total) * 100).padStart(7)}`,
    );
  }
  if (coverage.untested.length === 0) return lines;
  lines.push('', paint(canvas, 'bold', 'not tested'));
  for (const { file, line, column, resource, description } of coverage.untested) {
    const place = `${file}:${line}:${column}`;
    const text = `${resource}${description === '' ? '' : `  ${description}`}`;
    if (place.length + text.length + 5 <= canvas.width) lines.push(`   ${paint(canvas, 'cyan', place)}  ${text}`);
    else lines.push(`   ${paint(canvas, 'cyan', place)}`, ...wrap(text, canvas.width - 6).map((part) => `      ${part}`));
  }
  return lines;
}

function endText({ passed, failed, requests }: TestReport, canvas: Canvas): string {
  const tests = count(passed + failed, 'test');
  const all = `${tests}, ${count(requests, 'request')}`;
  return failed === 0
    ? paint(canvas, 'green', `${all}: all passed`)
    : `${all}: ${paint(canvas, 'red', `${failed} failed`)}${passed > 0 ? `, ${passed} passed` : ''}`;
}
