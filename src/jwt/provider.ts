import type { JwtProviderJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { removeHeader } from '../routing/header-mutation.ts';
import { jsonDuration } from '../routing/json-duration.ts';
import type { ProblemList } from '../routing/problems.ts';
import type { RouteRequest } from '../routing/request.ts';
import { compileStringMatcher } from '../routing/string-matcher.ts';
import { toWire } from '../routing/wire-text.ts';
import type { Jwt, JwtProblem } from './parse-jwt.ts';
import { EXPIRED, LIFETIME, NOT_YET, WRONG_SUBJECT } from './token-problems.ts';

/** Verifies the signature of a token with the keys of its issuer; calls back once, with undefined when it is good. */
export type VerifyKeys<C> = (jwt: Jwt, call: C, done: (problem: JwtProblem | undefined) => void) => void;

/** One `JwtProvider`, ready for use. */
export interface Provider<C> {
  readonly name: string;
  readonly json: JwtProviderJson;
  readonly verify: VerifyKeys<C>;
  /** Everything but audiences and the signature. `now`: seconds since 1970. */
  check(jwt: Jwt, now: number): JwtProblem | undefined;
  /** What an accepted token leaves in the request. */
  accept(jwt: Jwt, request: RouteRequest, metadata: Record<string, unknown>): void;
  /** Removes headers that only this filter may set. True: there was one, and the route is to be found anew for it. */
  sanitize(request: RouteRequest): boolean;
}

/** Envoy's default. */
const SKEW_SECONDS = 60;

/** Compiles one provider, but for its keys. */
export function compileProvider<C>(
  name: string,
  json: JwtProviderJson,
  verify: VerifyKeys<C>,
  path: string,
  problems: ProblemList,
): Provider<C> {
  const subject = json.subjects === undefined ? undefined : compileStringMatcher(json.subjects, `${path}.subjects`, problems);
  const skew = Number(json.clockSkewSeconds ?? 0) || SKEW_SECONDS;
  const maxLifetime = jsonDuration(json.maxLifetime, `${path}.maxLifetime`, problems);
  const payloadHeader = (json.forwardPayloadHeader ?? '').toLowerCase();
  const claims = (json.claimToHeaders ?? []).map((claim) => ({
    header: (claim.headerName ?? '').toLowerCase(),
    path: claim.claimName ?? '',
  }));
  const mine = [payloadHeader, ...claims.map(({ header }) => header)].filter((header) => header !== '');
  return {
    name,
    json,
    verify,
    check(jwt, now) {
      if (now + skew < jwt.notBefore) return NOT_YET;
      if (jwt.expires !== undefined && jwt.expires !== 0 && now > jwt.expires + skew) return EXPIRED;
      if (maxLifetime !== undefined || json.requireExpiration === true) {
        if (jwt.expires === undefined || jwt.expires === 0) return LIFETIME;
        if (maxLifetime !== undefined && (jwt.expires - now) * 1000 >= maxLifetime) return LIFETIME;
      }
      if (subject !== undefined && !subject.test(toWire(jwt.subject))) return WRONG_SUBJECT;
      return undefined;
    },
    accept(jwt, request, metadata) {
      const { headers } = request;
      if (payloadHeader !== '')
        headers.push(payloadHeader, json.padForwardPayloadHeader === true ? padded(jwt.encodedPayload) : jwt.encodedPayload);
      for (const claim of claims) {
        const text = claimText(jwt.payload, claim.path);
        if (text !== '') headers.push(claim.header, toWire(text));
      }
      if (json.headerInMetadata) metadata[json.headerInMetadata] = jwt.header;
      if (json.payloadInMetadata) metadata[json.payloadInMetadata] = normalized(jwt.payload, json);
      request.headersChanged();
    },
    sanitize(request) {
      const { length } = request.headers;
      for (const header of mine) removeHeader(request.headers, header);
      if (request.headers.length === length) return false;
      request.headersChanged();
      return json.clearRouteCache === true;
    },
  };
}

const padded = (text: string): string => text + '='.repeat((4 - (text.length % 4)) % 4);

/** A claim as a header carries it; '' when there is nothing to say. `a.b` is a claim within a claim. */
function claimText(payload: Readonly<Record<string, unknown>>, path: string): string {
  let at: unknown = payload;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, key)) return '';
    at = (at as Record<string, unknown>)[key];
  }
  if (typeof at === 'string') return at;
  if (typeof at === 'boolean') return String(at);
  if (typeof at === 'number') return numberText(at);
  if (typeof at === 'object' && at !== null) return Buffer.from(JSON.stringify(at)).toString('base64');
  return '';
}

/** Texts that are lists of words (`scope`) become lists. */
function normalized(payload: Readonly<Record<string, unknown>>, json: JwtProviderJson): Record<string, unknown> {
  const out = { ...payload };
  for (const claim of json.normalizePayloadInMetadata?.spaceDelimitedClaims ?? []) {
    const value = Object.hasOwn(out, claim) ? out[claim] : undefined;
    if (typeof value === 'string') out[claim] = value.split(' ').filter((word) => word !== '');
  }
  return out;
}

/** Whole numbers of 64 bits as they are; others as C prints a double. */
function numberText(value: number): string {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 64) return BigInt(value).toString();
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
