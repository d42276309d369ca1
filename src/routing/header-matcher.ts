import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { type Condition, shown } from './condition.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import { compileRegexMatcher, compileStringMatcher, literalMatcher, type ValueMatcher } from './string-matcher.ts';

/** Where header values come from: a request, or a response's headers. */
export interface HeaderSource {
  header(name: string): string | undefined;
  headerValues(name: string): readonly string[];
}

/** A header condition that can be asked of requests and responses alike. */
export interface HeaderCondition extends Condition {
  testHeaders(headers: HeaderSource): boolean;
}

const present: ValueMatcher = { test: () => true, describe: () => 'is present' };

/**
 * Envoy v3 HeaderMatcher. Of several lines any one that matches will do (Envoy 1.40), except for headers that are joined
 * when they arrive. Without the header a value condition fails, inverted or not, unless treat_missing_header_as_empty.
 */
export function compileHeaderMatcher(json: HeaderMatcherJson, field: string, path: string, problems: ProblemList): HeaderCondition {
  const name = (json.name ?? '').toLowerCase();
  if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const invert = json.invertMatch === true;
  const missingIsEmpty = json.treatMissingHeaderAsEmpty === true;
  const isPresence = json.presentMatch !== undefined || !hasValueMatcher(json);
  const wantPresent = json.presentMatch !== false;
  const matcher = isPresence ? present : compileValue(json, path, problems);
  const absentAnswer = isPresence ? wantPresent === invert : false;
  const testHeaders = (headers: HeaderSource): boolean => {
    if (isPresence) {
      if (!missingIsEmpty && headers.header(name) === undefined) return absentAnswer;
      return wantPresent !== invert;
    }
    const values = headers.headerValues(name);
    if (values.length === 1) return matcher.test(values[0]!) !== invert;
    if (values.length === 0) return missingIsEmpty ? matcher.test('') !== invert : absentAnswer;
    for (const value of values) if (matcher.test(value)) return !invert;
    return invert;
  };
  return {
    field,
    testHeaders,
    test: testHeaders,
    describe() {
      if (isPresence) return `header ${name} ${wantPresent !== invert ? 'is present' : 'is absent'}`;
      const phrase = `header ${name} ${invert ? 'is there and not so that it ' : ''}${matcher.describe()}`;
      return missingIsEmpty ? `${phrase} (absent counts as empty)` : phrase;
    },
    actual: (request: RouteRequest) => shown(request.headerValues(name)),
  };
}

function hasValueMatcher(json: HeaderMatcherJson): boolean {
  return (
    json.stringMatch !== undefined ||
    json.exactMatch !== undefined ||
    json.safeRegexMatch !== undefined ||
    json.rangeMatch !== undefined ||
    json.prefixMatch !== undefined ||
    json.suffixMatch !== undefined ||
    json.containsMatch !== undefined
  );
}

function compileValue(json: HeaderMatcherJson, path: string, problems: ProblemList): ValueMatcher {
  if (json.stringMatch !== undefined) return compileStringMatcher(json.stringMatch, `${path}.stringMatch`, problems);
  // Envoy: the deprecated exact_match with an empty value matches any value.
  if (json.exactMatch !== undefined) return json.exactMatch === '' ? present : literalMatcher('exact', json.exactMatch);
  if (json.safeRegexMatch !== undefined)
    return compileRegexMatcher(json.safeRegexMatch.regex ?? '', `${path}.safeRegexMatch.regex`, problems);
  if (json.prefixMatch !== undefined) return literalMatcher('prefix', json.prefixMatch);
  if (json.suffixMatch !== undefined) return literalMatcher('suffix', json.suffixMatch);
  if (json.containsMatch !== undefined) return literalMatcher('contains', json.containsMatch);
  const start = Number(json.rangeMatch?.start ?? 0);
  const end = Number(json.rangeMatch?.end ?? 0);
  return {
    test(value) {
      if (!/^[ \t]*[+-]?[0-9]+[ \t]*$/.test(value)) return false;
      const number = Number(value);
      return number >= start && number < end;
    },
    describe: () => `is a number from ${start} to below ${end}`,
  };
}
