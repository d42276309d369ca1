import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { ProblemList } from './problems.ts';
import { compileRegex } from './regex.ts';
import { lowerAscii, toWire } from './wire-text.ts';

/** Tests one value (wire text). */
export interface ValueMatcher {
  test(value: string): boolean;
  /** `is "a"`, `starts with "a"`: completes "the header …". */
  describe(): string;
}

const never: ValueMatcher = { test: () => false, describe: () => 'never matches' };

/** Envoy: `ignore_case` folds ASCII and has no effect on regular expressions. */
export function compileStringMatcher(json: StringMatcherJson, path: string, problems: ProblemList): ValueMatcher {
  const fold = json.ignoreCase === true;
  if (json.safeRegex !== undefined) return compileRegexMatcher(json.safeRegex.regex ?? '', `${path}.safeRegex.regex`, problems);
  if (json.custom !== undefined) {
    problems.unsupported(`${path}.custom`);
    return never;
  }
  if (json.exact !== undefined) return literalMatcher('exact', json.exact, fold);
  for (const kind of ['prefix', 'suffix', 'contains'] as const) {
    const value = json[kind];
    if (value === undefined) continue;
    if (value === '') problems.invalid(`${path}.${kind}`, 'must not be empty');
    return literalMatcher(kind, value, fold);
  }
  problems.invalid(path, 'one of exact, prefix, suffix, contains, safeRegex is required');
  return never;
}

/** A full-match RE2 pattern over values. */
export function compileRegexMatcher(pattern: string, path: string, problems: ProblemList): ValueMatcher {
  if (pattern === '') problems.invalid(path, 'must not be empty');
  const regex = compileRegex(pattern);
  if (typeof regex === 'string') {
    problems.invalid(path, regex);
    return never;
  }
  return { test: (value) => regex.fullMatch(value), describe: () => `matches the regular expression ${JSON.stringify(pattern)}` };
}

const verbs = { exact: 'is', prefix: 'starts with', suffix: 'ends with', contains: 'contains' } as const;

/** Plain comparison of text. */
export function literalMatcher(kind: keyof typeof verbs, configured: string, ignoreCase = false): ValueMatcher {
  const wire = toWire(configured);
  const want = ignoreCase ? lowerAscii(wire) : wire;
  const describe = (): string => `${verbs[kind]} ${JSON.stringify(configured)}${ignoreCase ? ' in any case' : ''}`;
  const fold = ignoreCase ? lowerAscii : (value: string): string => value;
  switch (kind) {
    case 'exact':
      return { test: (value) => fold(value) === want, describe };
    case 'prefix':
      return { test: (value) => fold(value).startsWith(want), describe };
    case 'suffix':
      return { test: (value) => fold(value).endsWith(want), describe };
    case 'contains':
      return { test: (value) => fold(value).includes(want), describe };
  }
}
