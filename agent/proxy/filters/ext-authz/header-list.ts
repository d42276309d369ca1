import type { ListStringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { ProblemList } from '../../../../src/routing/problems.ts';
import { compileStringMatcher } from '../../../../src/routing/string-matcher.ts';

/** Whether a header's lower-case name is in a list. */
export type HeaderList = (name: string) => boolean;

/** `more` are in the list as well. */
export function compileHeaderList(
  json: ListStringMatcherJson | undefined,
  path: string,
  problems: ProblemList,
  more: readonly string[] = [],
): HeaderList {
  const matchers = (json?.patterns ?? []).map((pattern, i) => compileStringMatcher(pattern, `${path}.patterns[${i}]`, problems));
  return (name) => more.includes(name) || matchers.some((matcher) => matcher.test(name));
}
