/** Conditions on what filters before have found out about a request: the claims of its token, and whatever else is in dynamic metadata. */
import type { MetadataMatcherJson } from '#envoy-api/envoy/type/matcher/v3/metadata_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { ValueMatcherJson } from '#envoy-api/envoy/type/matcher/v3/value_pb.js';
import { stringMatcher } from './value-matchers.ts';

/** The filter that writes claims. */
export const JWT_FILTER = 'envoy.filters.http.jwt_authn';
/** Under which key it does. */
export const PAYLOAD = 'payload';

const segments = (keys: readonly string[]): { key: string }[] => keys.map((key) => ({ key }));

function anyOf(matchers: readonly ValueMatcherJson[]): ValueMatcherJson {
  return matchers.length === 1 ? matchers[0]! : { orMatch: { valueMatchers: [...matchers] } };
}

/** A claim that is one of some values, or a list with one of them in it. */
export function claimMatcher(claim: readonly string[], value: ValueMatcherJson): MetadataMatcherJson {
  return {
    filter: JWT_FILTER,
    path: segments([PAYLOAD, ...claim]),
    value: { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } },
  };
}

/** `claimMatcher` of texts, each with `*` at either end as wildcard. */
export function claimValuesMatcher(claim: readonly string[], values: readonly string[]): MetadataMatcherJson {
  return claimMatcher(claim, anyOf(values.map((v) => ({ stringMatch: stringMatcher(v) }))));
}

/** A claim that is a text. */
export function claimTextMatcher(claim: string, stringMatch: StringMatcherJson): MetadataMatcherJson {
  return { filter: JWT_FILTER, path: segments([PAYLOAD, claim]), value: { stringMatch } };
}

/** `[a][b]` as names; undefined when something else is there. */
export function bracketed(text: string): string[] | undefined {
  if (!/^(?:\[[^[\]]+\])+$/.test(text)) return undefined;
  return text.slice(1, -1).split('][');
}

/** Metadata of any filter; `[v]` is an element of a list. */
export function metadataMatcher(filter: string, key: string, value: string): MetadataMatcherJson {
  const list = /^\[(.*)\]$/.exec(value)?.[1];
  const stringMatch = stringMatcher(list ?? value);
  return { filter, path: segments([key]), value: list === undefined ? { stringMatch } : { listMatch: { oneOf: { stringMatch } } } };
}
