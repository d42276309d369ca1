/** What `doctor` found, for people. */
import type { Check, CheckResult, DoctorReport } from '../../doctor/types.ts';
import { columns } from '../columns.ts';
import { type Canvas, paint, type Style, wrap } from '../explain/paint.ts';

const MARKS: Readonly<Record<CheckResult['state'], readonly [mark: string, style: Style]>> = {
  ok: ['✔', 'green'],
  nothing: ['–', 'dim'],
  skipped: ['–', 'dim'],
  warning: ['!', 'yellow'],
  failed: ['✘', 'red'],
  broken: ['?', 'red'],
};

const INDENT = 3;

/** @param verbose why each check matters, also where all is well */
export function doctorText({ checks }: DoctorReport, canvas: Canvas, verbose = false): string {
  const isConsequence = ({ state, cause }: CheckResult): boolean => state === 'skipped' && cause !== undefined && !verbose;
  const lines = checks.filter((check) => !isConsequence(check)).flatMap((check) => checkLines(check, canvas, verbose));
  // One line a cause: what follows from it is of no interest until it is gone.
  for (const [cause, of] of Map.groupBy(checks.filter(isConsequence), (check) => check.cause)) {
    const text = `not looked at, because ${cause} failed: ${of.map((check) => check.id).join(', ')}`;
    lines.push(
      ...wrap(text, canvas.width - INDENT).map((line, i) => paint(canvas, 'dim', `${i === 0 ? '–  ' : ' '.repeat(INDENT)}${line}`)),
    );
  }
  return `${[...lines, '', summary(checks, canvas)].join('\n')}\n`;
}

function checkLines(check: CheckResult, canvas: Canvas, verbose: boolean): string[] {
  const [mark, style] = MARKS[check.state];
  const bad = check.state === 'warning' || check.state === 'failed' || check.state === 'broken';
  const dim = check.state === 'skipped' || check.state === 'nothing';
  const head = `${check.what}: ${check.message}`;
  const [first = '', ...rest] = wrap(head, canvas.width - INDENT);
  const painted = (line: string): string => (dim ? paint(canvas, 'dim', line) : bad ? paint(canvas, 'bold', line) : line);
  const lines = [`${paint(canvas, style, mark)}  ${painted(first)}`, ...rest.map((line) => `${' '.repeat(INDENT)}${painted(line)}`)];
  const add = (text: string, as?: Style): void => {
    const deeper = /^ */.exec(text)![0].length;
    const pad = ' '.repeat(INDENT + 2 + deeper);
    for (const line of wrap(text.trimStart(), canvas.width - pad.length))
      lines.push(pad + (as === undefined ? line : paint(canvas, as, line)));
  };
  for (const detail of check.details) add(detail);
  if (bad || verbose) add(`why it matters: ${check.why}`, 'dim');
  if (bad && check.next !== undefined) add(`next: ${check.next}`, 'cyan');
  if (bad || verbose) add(`(${check.id}, ${check.took} ms)`, 'dim');
  return lines;
}

function summary(checks: readonly CheckResult[], canvas: Canvas): string {
  const count = (state: CheckResult['state']): number => checks.filter((c) => c.state === state).length;
  const [failed, warnings, broken, skipped, nothing] = (['failed', 'warning', 'broken', 'skipped', 'nothing'] as const).map(count) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const parts = [
    failed > 0 ? `${failed} failed` : '',
    broken > 0 ? `${broken} could not be run` : '',
    warnings > 0 ? `${warnings} warning${warnings === 1 ? '' : 's'}` : '',
    `${count('ok')} fine`,
    nothing > 0 ? `${nothing} with nothing to check` : '',
    skipped > 0 ? `${skipped} skipped` : '',
  ];
  const text = `${checks.length} checks: ${parts.filter((part) => part !== '').join(', ')}`;
  return paint(canvas, failed + broken > 0 ? 'red' : warnings > 0 ? 'yellow' : 'green', text);
}

/** The checks there are. */
export const checkList = (checks: readonly Pick<Check<never>, 'id' | 'what' | 'severity'>[]): string =>
  columns([['CHECK', 'SEVERITY', 'WHAT'], ...checks.map((c) => [c.id, c.severity, c.what])]);
