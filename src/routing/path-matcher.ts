import type { RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { Condition } from './condition.ts';
import type { ProblemList } from './problems.ts';
import { compileRegex } from './regex.ts';
import type { RouteRequest } from './request.ts';
import { lowerAscii, toWire } from './wire-text.ts';

/** The path condition of a route, and which part of a path it matched (what prefix_rewrite replaces). */
export interface PathCondition extends Condition {
  /** Set for plain prefixes, which the hot path tests without a call. */
  readonly plainPrefix: string | undefined;
  /** How many characters of the path a prefix rewrite replaces; the request matched. */
  matchedLength(request: RouteRequest): number;
  /** CONNECT requests have no path; only a connect matcher takes them. */
  readonly takesPathless: boolean;
}

const wholePath = (request: RouteRequest): number => request.pathOnly.length;

/** With ignore_path_parameters_in_path_matching each segment counts up to its first semicolon (seen on Envoy 1.40). */
const withoutParameters = (path: string): string => (path.includes(';') ? path.replace(/;[^/]*/g, '') : path);

/** Compiles the path specifier of a RouteMatch. */
export function compilePathMatcher(json: RouteMatchJson, ignoreParameters: boolean, path: string, problems: ProblemList): PathCondition {
  const fold = json.caseSensitive === false;
  const cut = ignoreParameters ? withoutParameters : (text: string): string => text;
  const note = fold ? ' in any case' : '';
  const base = {
    plainPrefix: undefined,
    takesPathless: false,
    actual: (request: RouteRequest): string => JSON.stringify(request.pathOnly),
  };
  if (json.prefix !== undefined || json.pathSeparatedPrefix !== undefined) {
    const separated = json.pathSeparatedPrefix !== undefined;
    const configured = json.pathSeparatedPrefix ?? json.prefix ?? '';
    const field = separated ? 'pathSeparatedPrefix' : 'prefix';
    if (separated && !/^[^?#]+[^?#/]$/.test(configured)) {
      problems.invalid(`${path}.${field}`, 'must not be empty, end in a slash or hold ? or #');
    }
    const prefix = toWire(configured);
    const want = fold ? lowerAscii(prefix) : prefix;
    const { length } = want;
    const plain = !fold && !ignoreParameters && !separated && !/[?#]/.test(prefix);
    return {
      ...base,
      field,
      plainPrefix: plain ? prefix : undefined,
      test(request) {
        const subject = cut(request.pathOnly);
        if (!(fold ? lowerAscii(subject.slice(0, length)) === want : subject.startsWith(want))) return false;
        return !separated || subject.length === length || subject.charCodeAt(length) === 47;
      },
      matchedLength: () => length,
      describe: () => `path starts with ${JSON.stringify(configured)}${separated ? ' and then ends or has a slash' : ''}${note}`,
    };
  }
  if (json.path !== undefined) {
    const exact = toWire(json.path);
    const want = fold ? lowerAscii(exact) : exact;
    return {
      ...base,
      field: 'path',
      test(request) {
        const subject = cut(request.pathOnly);
        return subject.length === want.length && (fold ? lowerAscii(subject) : subject) === want;
      },
      matchedLength: () => want.length,
      describe: () => `path is ${JSON.stringify(json.path)}${note}`,
    };
  }
  if (json.safeRegex !== undefined) {
    const pattern = json.safeRegex.regex ?? '';
    const regex = compileRegex(pattern);
    if (pattern === '') problems.invalid(`${path}.safeRegex.regex`, 'must not be empty');
    if (typeof regex === 'string') problems.invalid(`${path}.safeRegex.regex`, regex);
    return {
      ...base,
      field: 'safeRegex',
      test: (request) => typeof regex !== 'string' && regex.fullMatch(cut(request.pathOnly)),
      matchedLength: wholePath,
      describe: () => `path matches the regular expression ${JSON.stringify(pattern)}`,
    };
  }
  if (json.connectMatcher !== undefined) {
    return {
      ...base,
      field: 'connectMatcher',
      takesPathless: true,
      test: (request) =>
        request.method === 'CONNECT' || (request.method === 'GET' && request.header('upgrade')?.toLowerCase() === 'connect-udp'),
      matchedLength: wholePath,
      describe: () => 'is a CONNECT request',
      actual: (request) => request.method,
    };
  }
  if (json.pathMatchPolicy !== undefined) problems.unsupported(`${path}.pathMatchPolicy`);
  else problems.invalid(path, 'one of prefix, path, safeRegex, pathSeparatedPrefix, connectMatcher is required');
  return { ...base, field: 'prefix', test: () => false, matchedLength: wholePath, describe: () => 'never matches' };
}
