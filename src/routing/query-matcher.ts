import type { QueryParameterMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { type Condition, shown } from './condition.ts';
import type { ProblemList } from './problems.ts';
import { queryValue } from './query.ts';
import { compileStringMatcher } from './string-matcher.ts';
import { toWire } from './wire-text.ts';

/** Envoy v3 QueryParameterMatcher: of several equal keys the first counts; values are compared undecoded. */
export function compileQueryMatcher(json: QueryParameterMatcherJson, field: string, path: string, problems: ProblemList): Condition {
  const name = toWire(json.name ?? '');
  if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const actual: Condition['actual'] = (request) => {
    const value = queryValue(request.path, name);
    return shown(value === undefined ? [] : [value]);
  };
  if (json.stringMatch !== undefined) {
    const matcher = compileStringMatcher(json.stringMatch, `${path}.stringMatch`, problems);
    return {
      field,
      test(request) {
        const value = queryValue(request.path, name);
        return value !== undefined && matcher.test(value);
      },
      describe: () => `query parameter ${name} ${matcher.describe()}`,
      actual,
    };
  }
  const want = json.presentMatch !== false;
  return {
    field,
    test: (request) => (queryValue(request.path, name) !== undefined) === want,
    describe: () => `query parameter ${name} is ${want ? 'present' : 'absent'}`,
    actual,
  };
}
