import type { HeaderMatcherJson, QueryParameterMatcherJson, RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { canonicalText } from './canonical-text.ts';
import { compileRegex, type Regex } from './regex.ts';

/**
 * True when every request that `later` matches is matched by `earlier` as well, so that Envoy, which takes the first route that matches,
 * never gets to `later`. Proved condition by condition; false where that cannot be done.
 *
 * @see https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/route/v3/route_components.proto#config-route-v3-routematch
 */
export function routeCovers(earlier: RouteMatchJson, later: RouteMatchJson): boolean {
  // A share of the requests goes on to the next route.
  if (earlier.runtimeFraction !== undefined) return false;
  return (
    pathCovers(earlier, later) &&
    othersSame(earlier, later) &&
    (earlier.headers ?? []).every((matcher) => (later.headers ?? []).some((other) => headerImplied(matcher, other))) &&
    (earlier.queryParameters ?? []).every((matcher) => (later.queryParameters ?? []).some((other) => queryImplied(matcher, other)))
  );
}

/** Conditions of other sorts (gRPC, TLS, metadata, cookies) must be the very same. */
function othersSame(earlier: RouteMatchJson, later: RouteMatchJson): boolean {
  return Object.entries(earlier).every(
    ([key, value]) => JUDGED.has(key) || canonicalText(value) === canonicalText((later as Record<string, unknown>)[key]),
  );
}

const JUDGED: ReadonlySet<string> = new Set([
  'path',
  'prefix',
  'safeRegex',
  'pathSeparatedPrefix',
  'connectMatcher',
  'caseSensitive',
  'headers',
  'queryParameters',
]);

function pathCovers(earlier: RouteMatchJson, later: RouteMatchJson): boolean {
  if (earlier.connectMatcher !== undefined || later.connectMatcher !== undefined)
    return earlier.connectMatcher !== undefined && later.connectMatcher !== undefined;
  // Every path begins with a slash.
  if (earlier.prefix === '/') return true;
  const ignores = earlier.caseSensitive === false;
  if (earlier.safeRegex?.regex !== undefined) return regexCovers(earlier.safeRegex.regex, later);
  const plain = later.path ?? later.prefix ?? later.pathSeparatedPrefix;
  if (!ignores && later.caseSensitive === false && hasLetters(plain ?? '')) return false;
  const fold = (text: string): string => (ignores ? text.toLowerCase() : text);
  if (earlier.path !== undefined) return later.path !== undefined && fold(earlier.path) === fold(later.path);
  const begins = plain ?? literalBeginning(later.safeRegex?.regex ?? '');
  if (earlier.prefix !== undefined) return fold(begins).startsWith(fold(earlier.prefix));
  if (earlier.pathSeparatedPrefix === undefined || plain === undefined) return false;
  const segment = fold(earlier.pathSeparatedPrefix);
  // `/a` as a plain prefix takes `/ab` too.
  return (fold(plain) === segment && later.prefix === undefined) || fold(plain).startsWith(`${segment}/`);
}

const hasLetters = (text: string): boolean => /\p{L}/u.test(text);

function regexCovers(regex: string, later: RouteMatchJson): boolean {
  if (regex === '.*' || regex === '/.*' || regex === later.safeRegex?.regex) return true;
  if (later.path === undefined || (later.caseSensitive === false && hasLetters(later.path))) return false;
  return compiled(regex)?.fullMatch(later.path) === true;
}

const known = new Map<string, Regex | undefined>();

function compiled(pattern: string): Regex | undefined {
  if (!known.has(pattern)) {
    const made = compileRegex(pattern);
    if (known.size > 1000) known.clear();
    known.set(pattern, typeof made === 'string' ? undefined : made);
  }
  return known.get(pattern);
}

/** What every text that a regex matches begins with, where that is plain to see. */
function literalBeginning(regex: string): string {
  if (/[|]|\(\?/.test(regex)) return '';
  const found = /^\^?((?:[A-Za-z0-9_/-]|\\[./-])*)(.?)/s.exec(regex)!;
  const text = /[?*{]/.test(found[2]!) ? found[1]!.replace(/\\?.$/, '') : found[1]!;
  return text.replace(/\\(.)/g, '$1');
}

function headerImplied(wanted: HeaderMatcherJson, given: HeaderMatcherJson): boolean {
  if (wanted.name?.toLowerCase() !== given.name?.toLowerCase()) return false;
  if (canonicalText({ ...wanted, name: '' }) === canonicalText({ ...given, name: '' })) return true;
  if (wanted.invertMatch || given.invertMatch) return false;
  // What takes a missing header for an empty one matches where there is none.
  if (given.treatMissingHeaderAsEmpty && !wanted.treatMissingHeaderAsEmpty) return false;
  // A value that matches is there.
  if (wanted.presentMatch) return given.presentMatch === true || given.stringMatch !== undefined;
  return stringImplied(wanted.stringMatch, given.stringMatch);
}

function queryImplied(wanted: QueryParameterMatcherJson, given: QueryParameterMatcherJson): boolean {
  if (wanted.name !== given.name) return false;
  if (canonicalText(wanted) === canonicalText(given)) return true;
  if (wanted.presentMatch) return given.presentMatch === true || given.stringMatch !== undefined;
  return stringImplied(wanted.stringMatch, given.stringMatch);
}

function stringImplied(wanted: StringMatcherJson | undefined, given: StringMatcherJson | undefined): boolean {
  if (wanted === undefined || given === undefined || wanted.ignoreCase || given.ignoreCase) return false;
  if (wanted.exact !== undefined) return given.exact === wanted.exact;
  if (wanted.prefix !== undefined) return (given.exact ?? given.prefix ?? '').startsWith(wanted.prefix);
  const regex = wanted.safeRegex?.regex;
  if (regex === undefined) return false;
  if (regex === given.safeRegex?.regex) return true;
  return given.exact !== undefined && compiled(regex)?.fullMatch(given.exact) === true;
}
