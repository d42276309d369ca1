import type { RouteAction_HashPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { cookieValue } from './cookies.ts';
import { jsonDuration } from './json-duration.ts';
import type { ProblemList } from './problems.ts';
import { queryValue } from './query.ts';
import type { RouteRequest } from './request.ts';
import { compileRegexRewrite } from './rewrite.ts';
import type { RouteDecision } from './types.ts';
import { toWire } from './wire-text.ts';
import { xxHash64OfWire } from './xxhash64.ts';

/** What a cookie policy adds for a request that came without its cookie. */
export interface GeneratedCookie {
  name: string;
  value: string;
  /** The whole Set-Cookie value. */
  header: string;
}

export interface CompiledHashPolicy {
  readonly terminal: boolean;
  /** The policy's own hash, or undefined when it has nothing to hash. `makeCookie` gives the value of a cookie that is missing. */
  hash(
    request: RouteRequest,
    makeCookie: (cookie: Omit<GeneratedCookie, 'value' | 'header'> & { header(value: string): string }) => string,
  ): bigint | undefined;
}

/** The hash for ring hash and maglev balancers, and a cookie that must be set in the response. */
export interface RequestHash {
  hash: bigint | undefined;
  setCookie: readonly GeneratedCookie[];
}

const noHash: RequestHash = { hash: undefined, setCookie: [] };

/** Compiles hash_policy. */
export function compileHashPolicies(
  policies: readonly RouteAction_HashPolicyJson[] | undefined,
  path: string,
  problems: ProblemList,
): readonly CompiledHashPolicy[] {
  const compiled: CompiledHashPolicy[] = [];
  (policies ?? []).forEach((policy, i) => {
    const hash = compileOne(policy, `${path}.hashPolicy[${i}]`, problems);
    if (hash !== undefined) compiled.push({ terminal: policy.terminal === true, hash });
  });
  return compiled;
}

function compileOne(policy: RouteAction_HashPolicyJson, path: string, problems: ProblemList): CompiledHashPolicy['hash'] | undefined {
  if (policy.header !== undefined) return headerHash(policy.header, `${path}.header`, problems);
  if (policy.cookie !== undefined) return cookieHash(policy.cookie, `${path}.cookie`, problems);
  if (policy.queryParameter !== undefined) {
    const name = toWire(policy.queryParameter.name ?? '');
    return (request) => hashOfText(queryValue(request.path, name));
  }
  if (policy.connectionProperties !== undefined) {
    if (policy.connectionProperties.sourceIp !== true) return undefined;
    return (request) => hashOfText(request.remoteAddress === '' ? undefined : request.remoteAddress);
  }
  if (policy.filterState !== undefined) problems.unsupported(`${path}.filterState`);
  else problems.invalid(path, 'one of header, cookie, connectionProperties, queryParameter, filterState is required');
  return undefined;
}

const hashOfText = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : xxHash64OfWire(text));

/** All lines, sorted so that their order does not count, hashed one on top of the other. */
function headerHash(
  json: NonNullable<RouteAction_HashPolicyJson['header']>,
  path: string,
  problems: ProblemList,
): CompiledHashPolicy['hash'] {
  const name = (json.headerName ?? '').toLowerCase();
  if (name === '') problems.invalid(`${path}.headerName`, 'must not be empty');
  const rewrite = json.regexRewrite === undefined ? undefined : compileRegexRewrite(json.regexRewrite, `${path}.regexRewrite`, problems);
  return (request) => {
    let values = request.headerValues(name);
    if (values.length === 0) return undefined;
    if (rewrite !== undefined) values = values.map(rewrite);
    if (values.length > 1) values = [...values].sort();
    let hash = 0n;
    for (const value of values) hash = xxHash64OfWire(value, hash);
    return hash;
  };
}

function cookieHash(
  json: NonNullable<RouteAction_HashPolicyJson['cookie']>,
  path: string,
  problems: ProblemList,
): CompiledHashPolicy['hash'] {
  const name = toWire(json.name ?? '');
  if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const ttl = jsonDuration(json.ttl, `${path}.ttl`, problems);
  // Envoy: a session cookie (no Max-Age) for a ttl of 0.
  const seconds = ttl === undefined ? 0 : Math.floor(ttl / 1000);
  const attributes = (json.attributes ?? [])
    .map((a) => `; ${toWire(a.name ?? '')}${(a.value ?? '') === '' ? '' : `=${toWire(a.value!)}`}`)
    .join('');
  const tail = `${seconds === 0 ? '' : `; Max-Age=${seconds}`}${(json.path ?? '') === '' ? '' : `; Path=${toWire(json.path!)}`}${attributes}; HttpOnly`;
  const cookie = { name, header: (value: string): string => `${name}="${value}"${tail}` };
  return (request, makeCookie) => {
    const value = cookieValue(request, name);
    if (value !== undefined && value !== '') return xxHash64OfWire(value);
    return ttl === undefined ? undefined : xxHash64OfWire(makeCookie(cookie));
  };
}

/**
 * The request's hash. Policies combine as `rotl(hash, 1) ^ next`; a terminal one that has given a hash ends the list.
 * A missing cookie's value is made of `connection` (the addresses of the connection), as in Envoy.
 */
export function hashOf(decision: RouteDecision, request: RouteRequest, connection: string): RequestHash {
  const { hashPolicies } = decision.action;
  if (hashPolicies.length === 0) return noHash;
  let hash: bigint | undefined;
  const setCookie: GeneratedCookie[] = [];
  for (const policy of hashPolicies) {
    const next = policy.hash(request, ({ name, header }) => {
      const value = xxHash64OfWire(connection).toString(16).padStart(16, '0');
      setCookie.push({ name, value, header: header(value) });
      return value;
    });
    if (next !== undefined) hash = hash === undefined ? next : (((hash << 1n) & 0xffff_ffff_ffff_ffffn) | (hash >> 63n)) ^ next;
    if (policy.terminal && hash !== undefined) break;
  }
  return { hash, setCookie };
}
