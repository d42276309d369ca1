import type { MetadataMatcherJson } from '#envoy-api/envoy/type/matcher/v3/metadata_pb.js';
import type { ValueMatcherJson } from '#envoy-api/envoy/type/matcher/v3/value_pb.js';
import type { Condition } from './condition.ts';
import type { ProblemList } from './problems.ts';
import { compileStringMatcher } from './string-matcher.ts';

type Test = (value: unknown) => boolean;

/** Envoy v3 MetadataMatcher over dynamic metadata. */
export function compileMetadataMatcher(json: MetadataMatcherJson, field: string, path: string, problems: ProblemList): Condition {
  const { keys, find, test } = compileMetadataTest(json, path, problems);
  return {
    field,
    test: (request) => test(request.metadata),
    describe: () =>
      `dynamic metadata ${keys.join('.')} ${json.invert === true ? 'does not match' : 'matches'} ${JSON.stringify(json.value ?? {})}`,
    actual: (request) => JSON.stringify(find(request.metadata)) ?? 'absent',
  };
}

export interface MetadataTest {
  /** The filter's name, then the path. */
  readonly keys: readonly string[];
  /** Undefined: there is nothing at that path. */
  find(metadata: unknown): unknown;
  test(metadata: unknown): boolean;
}

/** A MetadataMatcher over metadata by filter name, wherever that comes from. */
export function compileMetadataTest(json: MetadataMatcherJson, path: string, problems: ProblemList): MetadataTest {
  const keys = [json.filter ?? '', ...(json.path ?? []).map((segment) => segment.key ?? '')];
  if (keys.length < 2) problems.invalid(`${path}.path`, 'must not be empty');
  const test = json.value === undefined ? never : compileValue(json.value, `${path}.value`, problems);
  if (json.value === undefined) problems.invalid(`${path}.value`, 'is required');
  const invert = json.invert === true;
  const find = (metadata: unknown): unknown => {
    let at: unknown = metadata;
    for (const key of keys) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Record<string, unknown>)[key];
    }
    return at;
  };
  return { keys, find, test: (metadata) => test(find(metadata)) !== invert };
}

const never: Test = () => false;

function compileValue(json: ValueMatcherJson, path: string, problems: ProblemList): Test {
  if (json.nullMatch !== undefined) return (value) => value === null;
  if (json.boolMatch !== undefined) return (value) => value === json.boolMatch;
  // Envoy: with false nothing matches, absent or not.
  if (json.presentMatch !== undefined) return (value) => json.presentMatch === true && value !== undefined;
  if (json.stringMatch !== undefined) {
    const matcher = compileStringMatcher(json.stringMatch, `${path}.stringMatch`, problems);
    return (value) => typeof value === 'string' && matcher.test(value);
  }
  if (json.doubleMatch !== undefined) {
    const { exact, range } = json.doubleMatch;
    if (range !== undefined)
      return (value) => typeof value === 'number' && value >= Number(range.start ?? 0) && value < Number(range.end ?? 0);
    return (value) => typeof value === 'number' && value === Number(exact ?? 0);
  }
  if (json.listMatch !== undefined) {
    const one = compileValue(json.listMatch.oneOf ?? {}, `${path}.listMatch.oneOf`, problems);
    return (value) => Array.isArray(value) && value.some(one);
  }
  if (json.orMatch !== undefined) {
    const any = (json.orMatch.valueMatchers ?? []).map((m, i) => compileValue(m, `${path}.orMatch.valueMatchers[${i}]`, problems));
    return (value) => any.some((test) => test(value));
  }
  problems.invalid(path, 'one of nullMatch, doubleMatch, stringMatch, boolMatch, presentMatch, listMatch, orMatch is required');
  return never;
}
