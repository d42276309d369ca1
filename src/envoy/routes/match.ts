import type { HeaderMatcherJson, QueryParameterMatcherJson, RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { MetadataMatcherJson } from '#envoy-api/envoy/type/matcher/v3/metadata_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { StringMatch } from '../../config/kinds/networking.ts';
import type { HttpMatch } from '../../mesh/types.ts';
import { bracketed, claimMatcher } from '../security/claim-matchers.ts';

/** Envoy's matcher for a value; undefined when only presence is asked for. */
function stringMatcher(match: StringMatch): StringMatcherJson | undefined {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  // Istio reads the regex `*` as "is there", although RE2 has no such expression.
  if (match.regex !== undefined && match.regex !== '*') return { safeRegex: { regex: match.regex } };
  return undefined;
}

function headerMatcher(name: string, match: StringMatch): HeaderMatcherJson {
  const matcher = stringMatcher(match);
  return matcher === undefined ? { name, presentMatch: true } : { name, stringMatch: matcher };
}

/** `withoutHeaders`: an absent header counts as empty, so that a value matcher holds for it too. */
function invertedMatcher(name: string, match: StringMatch): HeaderMatcherJson {
  const matcher = headerMatcher(name, match);
  return { ...matcher, invertMatch: true, ...(matcher.stringMatch && { treatMissingHeaderAsEmpty: true }) };
}

function queryMatcher(name: string, match: StringMatch): QueryParameterMatcherJson {
  const matcher = stringMatcher(match);
  return matcher === undefined ? { name, presentMatch: true } : { name, stringMatch: matcher };
}

function sortedEntries(map: Readonly<Record<string, StringMatch>> | undefined): [string, StringMatch][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

const CLAIMS = '@request.auth.claims';

/** True for a header key that means a claim of a JWT: `@request.auth.claims.group`, `@request.auth.claims[group]`. */
export function isClaimKey(key: string): boolean {
  return key.toLowerCase().startsWith(CLAIMS);
}

/** The names that lead to the claim which a key means: `.a.b` and `[a][b]` are claim `b` inside `a`. undefined: it is neither. */
export function claimPath(key: string): readonly string[] | undefined {
  const rest = key.slice(CLAIMS.length);
  if (!rest.startsWith('.')) return bracketed(rest);
  const names = rest.slice(1).split('.');
  return names.includes('') ? undefined : names;
}

/** Claims are in the metadata that the filter of tokens leaves behind. `invert`: the claim must not be so. */
function claimsMatcher(key: string, match: StringMatch, invert: boolean): MetadataMatcherJson {
  const stringMatch = stringMatcher(match);
  const matcher = claimMatcher(claimPath(key) ?? [], stringMatch === undefined ? { presentMatch: true } : { stringMatch });
  return invert ? { ...matcher, invert } : matcher;
}

/**
 * The Envoy match of one `match` entry; without one everything (prefix `/`, and no other field). Port and source conditions are
 * decided by the caller, and so is whether keys of claims mean any (`claimPath`).
 */
export function routeMatch(match: HttpMatch | undefined): RouteMatchJson {
  if (match === undefined) return { prefix: '/' };
  const out: RouteMatchJson = {};
  const { uri } = match;
  if (uri?.exact !== undefined) out.path = uri.exact;
  else if (uri?.regex !== undefined) out.safeRegex = { regex: uri.regex };
  else if (match.bySegments) out.pathSeparatedPrefix = uri!.prefix!;
  else out.prefix = uri?.prefix ?? '/';
  out.caseSensitive = match.ignoreUriCase !== true;
  const headers: HeaderMatcherJson[] = [];
  const claims: MetadataMatcherJson[] = [];
  for (const [name, m] of sortedEntries(match.headers)) {
    if (isClaimKey(name)) claims.push(claimsMatcher(name, m, false));
    else headers.push(headerMatcher(name, m));
  }
  for (const [name, m] of sortedEntries(match.withoutHeaders)) {
    if (isClaimKey(name)) claims.push(claimsMatcher(name, m, true));
    else headers.push(invertedMatcher(name, m));
  }
  if (match.method) headers.push(headerMatcher(':method', match.method));
  if (match.authority) headers.push(headerMatcher(':authority', match.authority));
  if (match.scheme) headers.push(headerMatcher(':scheme', match.scheme));
  if (headers.length > 0) out.headers = headers;
  const query = sortedEntries(match.queryParams).map(([name, m]) => queryMatcher(name, m));
  if (query.length > 0) out.queryParameters = query;
  if (claims.length > 0) out.dynamicMetadata = claims;
  return out;
}

/** True when a match takes every request, so that nothing after it can: prefix `/` or regex `.*` and no other matcher; case does not count. */
export function isCatchAll(match: RouteMatchJson | undefined): boolean {
  if (match === undefined) return false;
  const path = match.prefix === '/' || match.safeRegex?.regex === '.*';
  return path && !match.headers?.length && !match.queryParameters?.length && !match.dynamicMetadata?.length;
}
