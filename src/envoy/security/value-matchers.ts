/** Values of policies as Envoy's matchers: a text is meant exactly, or begins or ends with `*`. */
import type { CidrRangeJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';

/** What has a meaning in regular expressions (RE2), escaped. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

export const regexMatcher = (regex: string): StringMatcherJson => ({ safeRegex: { regex } });

/** `*` is any text but the empty one. */
export function stringMatcher(value: string, ignoreCase = false): StringMatcherJson {
  const fold = ignoreCase && { ignoreCase: true };
  if (value === '*') return regexMatcher('.+');
  if (value.startsWith('*')) return { suffix: value.slice(1), ...fold };
  if (value.endsWith('*')) return { prefix: value.slice(0, -1), ...fold };
  return { exact: value, ...fold };
}

/** The same of texts that `prefix` stands in front of. */
export function prefixedMatcher(prefix: string, value: string): StringMatcherJson {
  if (value === '*') return regexMatcher('.+');
  if (value.startsWith('*')) return regexMatcher(`${escapeRegex(prefix)}.*${escapeRegex(value.slice(1))}`);
  return stringMatcher(prefix + value);
}

/** A header's value; `*`: it is there. */
export function headerMatcher(name: string, value: string, ignoreCase = false): HeaderMatcherJson {
  return value === '*' ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(value, ignoreCase) };
}

/** An address or a block of addresses. */
export function cidr(value: string): CidrRangeJson {
  const [address = '', length] = value.split('/');
  return { addressPrefix: address, prefixLen: length === undefined ? (address.includes(':') ? 128 : 32) : Number(length) };
}
