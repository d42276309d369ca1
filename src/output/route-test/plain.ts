import { formatPosition } from '../../config/resource.ts';
import type { CaseFailure } from '../../explain/test/types.ts';
import { positionText, resourceText } from '../explain/words.ts';

/** A failed request without colours and columns, for reports of machines. */
export function failureText({ asked, proxy, failures, rule, reasons }: CaseFailure): string {
  const where = rule && positionText(rule);
  return [
    `${asked} at ${proxy}`,
    ...failures.flatMap(({ field, expected, actual, position }) => [
      `  ${field} (${formatPosition(position)})`,
      `    expected: ${expected}`,
      `    is: ${actual}`,
    ]),
    ...(rule === undefined ? [] : [`  decided by ${resourceText(rule)}${where === undefined ? '' : ` at ${where}`}`]),
    ...reasons.map(({ kind, text }) => `  ${kind === 'almost' ? 'almost' : 'because'}: ${text}`),
  ].join('\n');
}

/** What failed in one line: `destination: expected a, is b`. */
export function failureLine({ failures }: CaseFailure): string {
  return failures.map(({ field, expected, actual }) => `${field}: expected ${expected}, is ${actual}`).join('; ');
}
