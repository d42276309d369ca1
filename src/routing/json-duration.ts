import type { ProblemList } from './problems.ts';

/** Milliseconds of a protobuf JSON duration, `"1.500s"`, cut to whole ones as Envoy does; undefined when it is not set. */
export function jsonDuration(text: string | undefined, path: string, problems: ProblemList): number | undefined {
  if (text === undefined) return undefined;
  const found = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text);
  if (found === null) {
    problems.invalid(path, `${JSON.stringify(text)} is not a duration such as "1.500s"`);
    return undefined;
  }
  const ms = Number(found[2]) * 1000 + Math.trunc(Number((found[3] ?? '').padEnd(9, '0')) / 1_000_000);
  if (found[1] === '-' && ms > 0) {
    problems.invalid(path, `${JSON.stringify(text)} must not be negative`);
    return undefined;
  }
  return ms;
}
