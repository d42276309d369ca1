import { formatPosition } from '../config/resource.ts';
import type { Problem } from '../errors.ts';

/** One line about what a computed config does not carry out; undefined when it does all. */
export function leftOutSummary(problems: readonly Problem[]): string | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const at = first.position ? ` (${formatPosition(first.position)})` : '';
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return `not all of the configuration is carried out: ${first.message}${at}${more}`;
}
