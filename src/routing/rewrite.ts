import type { RouteActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RegexMatchAndSubstituteJson } from '#envoy-api/envoy/type/matcher/v3/regex_pb.js';
import type { PathCondition } from './path-matcher.ts';
import type { ProblemList } from './problems.ts';
import { compileRegex, groupCount, parseSubstitution } from './regex.ts';
import { type RouteRequest, withoutQuery } from './request.ts';
import { toWire } from './wire-text.ts';

/** The new path (with query) for a request that the route matched. */
export type PathRewrite = (path: string, matched: PathCondition, request: RouteRequest) => string;

/** The new host, or undefined to keep it. */
export type HostRewrite = (request: RouteRequest, path: string) => string | undefined;

/** A regex rewrite of a text, or undefined after a problem. */
export function compileRegexRewrite(
  json: RegexMatchAndSubstituteJson,
  path: string,
  problems: ProblemList,
): ((wire: string) => string) | undefined {
  const pattern = json.pattern?.regex ?? '';
  const regex = compileRegex(pattern);
  if (pattern === '') problems.invalid(`${path}.pattern.regex`, 'must not be empty');
  if (typeof regex === 'string') {
    problems.invalid(`${path}.pattern.regex`, regex);
    return undefined;
  }
  const substitution = parseSubstitution(json.substitution ?? '', groupCount(pattern));
  if (substitution !== undefined && 'error' in substitution) {
    problems.invalid(`${path}.substitution`, substitution.error);
    return undefined;
  }
  return (wire) => regex.replaceAll(wire, substitution);
}

/** Replaces the part of a path that the route matched; the rest, query included, stays as it is. */
export function prefixRewrite(prefix: string): PathRewrite {
  const wire = toWire(prefix);
  return (path, matched, request) => wire + path.slice(matched.matchedLength(request));
}

/** Rewrites the path without its query, which stays. */
export function regexPathRewrite(rewrite: (wire: string) => string): PathRewrite {
  return (path) => {
    const plain = withoutQuery(path);
    return rewrite(plain) + path.slice(plain.length);
  };
}

/** prefix_rewrite or regex_rewrite; Envoy: an empty prefix_rewrite is none. */
export function compilePathRewrite(json: RouteActionJson, path: string, problems: ProblemList): PathRewrite | undefined {
  const prefix = json.prefixRewrite ?? '';
  if (prefix !== '' && json.regexRewrite !== undefined) problems.invalid(path, 'specify only one of prefixRewrite and regexRewrite');
  if (prefix !== '') return prefixRewrite(prefix);
  if (json.regexRewrite === undefined) return undefined;
  const rewrite = compileRegexRewrite(json.regexRewrite, `${path}.regexRewrite`, problems);
  return rewrite === undefined ? undefined : regexPathRewrite(rewrite);
}

/** host_rewrite_literal, host_rewrite_header, host_rewrite_path_regex. An empty result keeps the host, as in Envoy. */
export function compileHostRewrite(json: RouteActionJson, path: string, problems: ProblemList): HostRewrite | undefined {
  if ((json.hostRewriteLiteral ?? '') !== '') {
    const literal = toWire(json.hostRewriteLiteral!);
    return () => literal;
  }
  if ((json.hostRewriteHeader ?? '') !== '') {
    const name = json.hostRewriteHeader!.toLowerCase();
    return (request) => request.firstHeader(name) || undefined;
  }
  if (json.hostRewritePathRegex === undefined) return undefined;
  const rewrite = compileRegexRewrite(json.hostRewritePathRegex, `${path}.hostRewritePathRegex`, problems);
  return rewrite === undefined ? undefined : (_, requestPath) => rewrite(withoutQuery(requestPath)) || undefined;
}
