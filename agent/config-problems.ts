import type { Problem } from '../src/errors.ts';

/** True when a configuration with these problems must not run. */
export function isBlocking(problems: readonly Problem[], allowUnenforced: boolean): boolean {
  return problems.some((p) => p.severity === 'error' && !(allowUnenforced && p.rule.startsWith('unsupported/')));
}

/** The same field is met once for every proxy that reads it; people want to read it once. */
export function uniqueProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>();
  for (const p of problems)
    seen.set(`${p.rule}|${p.origin}|${p.path}|${p.message}|${p.position?.file}:${p.position?.line}:${p.position?.column}`, p);
  return [...seen.values()];
}
