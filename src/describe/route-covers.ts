import type { HeaderMatcherJson, RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { isCatchAll } from '../envoy/routes/match.ts';
import type { CompiledRoute } from '../routing/types.ts';

/** Whether every path that `later` takes is one that `earlier` takes; false where that cannot be told from the texts. */
function pathCovers(earlier: RouteMatchJson, later: RouteMatchJson): boolean {
  const insensitive = earlier.caseSensitive === false;
  // An earlier match that heeds case takes a part of what a later one does that does not.
  if (!insensitive && later.caseSensitive === false && earlier.prefix !== '/') return false;
  const fold = (text: string): string => (insensitive ? text.toLowerCase() : text);
  if (later.connectMatcher !== undefined) return earlier.connectMatcher !== undefined;
  if (earlier.safeRegex !== undefined) {
    return earlier.safeRegex.regex === '.*' || (later.safeRegex?.regex !== undefined && earlier.safeRegex.regex === later.safeRegex.regex);
  }
  const wanted = later.path ?? later.prefix ?? later.pathSeparatedPrefix;
  if (earlier.prefix !== undefined) {
    if (earlier.prefix === '/') return true;
    return wanted !== undefined && fold(wanted).startsWith(fold(earlier.prefix));
  }
  if (earlier.path !== undefined) return later.path !== undefined && fold(later.path) === fold(earlier.path);
  if (earlier.pathSeparatedPrefix === undefined || wanted === undefined) return false;
  const prefix = fold(earlier.pathSeparatedPrefix);
  const same = fold(wanted) === prefix && later.prefix === undefined;
  return same || fold(wanted).startsWith(`${prefix}/`);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether a request that meets the matcher `given` always meets `wanted`. */
function implies(given: HeaderMatcherJson, wanted: HeaderMatcherJson): boolean {
  if (same(given, wanted)) return true;
  if (given.name !== wanted.name || given.invertMatch || wanted.invertMatch) return false;
  // A value can only be matched where there is one.
  if (wanted.presentMatch) return given.stringMatch !== undefined && given.treatMissingHeaderAsEmpty !== true;
  const [a, b] = [given.stringMatch, wanted.stringMatch];
  if (b?.prefix === undefined || b.ignoreCase) return false;
  return (a?.exact ?? a?.prefix)?.startsWith(b.prefix) ?? false;
}

/**
 * Whether `earlier`, which is tried first, takes every request that `later` would. Sound, not complete: true only where it follows from
 * the texts of the two matches.
 */
export function routeCovers(earlier: CompiledRoute, later: CompiledRoute): boolean {
  const [a = {}, b = {}] = [earlier.json.match, later.json.match];
  if (earlier.fraction !== undefined) return false;
  if (isCatchAll(a) && b.connectMatcher === undefined) return true;
  const {
    path: _p,
    prefix: _f,
    safeRegex: _r,
    pathSeparatedPrefix: _s,
    connectMatcher: _c,
    caseSensitive: _i,
    headers = [],
    queryParameters = [],
    ...rest
  } = a;
  if (!pathCovers(a, b)) return false;
  const others = Object.entries(rest).every(([key, value]) => same(value, (b as Record<string, unknown>)[key]));
  return (
    others &&
    headers.every((wanted) => (b.headers ?? []).some((given) => implies(given, wanted))) &&
    queryParameters.every((wanted) => (b.queryParameters ?? []).some((given) => same(given, wanted)))
  );
}
