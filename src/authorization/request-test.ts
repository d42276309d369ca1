import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { PathMatcherJson } from '#envoy-api/envoy/type/matcher/v3/path_pb.js';
import { compileHeaderMatcher, type HeaderSource } from '../routing/header-matcher.ts';
import type { ProblemList } from '../routing/problems.ts';
import { compileStringMatcher } from '../routing/string-matcher.ts';
import { type InputTest, never } from './input-test.ts';

/** Envoy asks header rules of a TCP connection, too: it has no headers. */
const NO_HEADERS: HeaderSource = { header: () => undefined, headerValues: () => [] };

/** A header rule; see compileHeaderMatcher. */
export function compileHeaderTest(json: HeaderMatcherJson, path: string, problems: ProblemList): InputTest {
  const matcher = compileHeaderMatcher(json, 'header', path, problems);
  return ({ request }) => matcher.testHeaders(request ?? NO_HEADERS);
}

/** A path rule, over the path without query and fragment; it never holds without a path. */
export function compilePathTest(json: PathMatcherJson, path: string, problems: ProblemList): InputTest {
  if (json.path === undefined) {
    problems.invalid(`${path}.path`, 'is required');
    return never;
  }
  const matcher = compileStringMatcher(json.path, `${path}.path`, problems);
  return ({ request }) => request !== undefined && request.header(':path') !== undefined && matcher.test(request.pathOnly);
}
