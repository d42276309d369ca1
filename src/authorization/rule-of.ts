import type { ProblemList } from '../routing/problems.ts';

/** The one rule that a permission or principal sets; undefined with a problem when it sets none, several, or one that nobody knows. */
export function ruleOf<K extends string>(
  json: object,
  known: { readonly [P in K]: unknown },
  path: string,
  problems: ProblemList,
): K | undefined {
  const set = Object.entries(json).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  for (const key of set) if (!Object.hasOwn(known, key)) problems.unsupported(`${path}.${key}`, 'such rules are not evaluated');
  if (set.length === 1) return Object.hasOwn(known, set[0]!) ? (set[0] as K) : undefined;
  problems.invalid(path, set.length === 0 ? 'a rule is required' : `only one of ${set.join(', ')} may be set`);
  return undefined;
}
