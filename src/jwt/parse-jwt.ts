import { decodeBase64Url } from './base64url.ts';
import { parseStrictObject } from './strict-json.ts';

/** What is wrong with a token or its keys, in Envoy's words; undefined: nothing. */
export type JwtProblem = string;

export interface Jwt {
  readonly alg: string;
  readonly kid: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** As it stands in the token. */
  readonly encodedPayload: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Seconds since 1970; 0 without one. */
  readonly notBefore: number;
  readonly expires: number | undefined;
  readonly signedData: string;
  readonly signature: Buffer;
}

export const MISSING = 'Jwt is missing';
export const UNKNOWN_ISSUER = 'Jwt issuer is not configured';
export const WRONG_AUDIENCE = 'Audiences in Jwt are not allowed';
export const VERIFICATION_FAILS = 'Jwt verification fails';

const ALGORITHMS: ReadonlySet<string> = new Set('ES256 ES384 ES512 HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA'.split(' '));

/** Reads a compact JWS (RFC 7519); a text says why it is none. Nothing is verified. */
export function parseJwt(token: string): Jwt | JwtProblem {
  const parts = token.split('.').filter((part) => part !== '');
  if (parts.length !== 3) return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
  const [head, body, tail] = parts as [string, string, string];
  const headerBytes = decodeBase64Url(head);
  if (headerBytes === undefined) return 'Jwt header is an invalid Base64url encoded';
  const header = parseStrictObject(headerBytes);
  if (header === undefined) return 'Jwt header is an invalid JSON';
  const alg = own(header, 'alg');
  if (typeof alg !== 'string') return 'Jwt header [alg] field is required and must be a string';
  if (!ALGORITHMS.has(alg)) return 'Jwt header [alg] is not supported';
  const kid = own(header, 'kid') ?? '';
  if (typeof kid !== 'string' || own(header, 'kid') === null) return 'Jwt header [kid] field is not a string';
  // RFC 7515 4.1.11: no extension is known here, so none that is critical may be passed over. Envoy does not look.
  if (own(header, 'crit') !== undefined) return 'Jwt header [crit] is not supported';
  const payloadBytes = decodeBase64Url(body);
  if (payloadBytes === undefined) return 'Jwt payload is an invalid Base64url encoded';
  const payload = parseStrictObject(payloadBytes);
  if (payload === undefined) return 'Jwt payload is an invalid JSON';
  const wrong = checkClaims(payload);
  if (wrong !== undefined) return wrong;
  const signature = decodeBase64Url(tail);
  if (signature === undefined) return 'Jwt signature is an invalid Base64url encoded';
  const audience = own(payload, 'aud');
  return {
    alg,
    kid,
    header,
    payload,
    encodedPayload: body,
    issuer: (own(payload, 'iss') as string | undefined) ?? '',
    subject: (own(payload, 'sub') as string | undefined) ?? '',
    audiences: audience === undefined ? [] : ([audience].flat() as string[]),
    notBefore: Math.trunc((own(payload, 'nbf') as number | undefined) ?? 0),
    expires: own(payload, 'exp') === undefined ? undefined : Math.trunc(own(payload, 'exp') as number),
    signedData: `${head}.${body}`,
    signature,
  };
}

function checkClaims(payload: Readonly<Record<string, unknown>>): JwtProblem | undefined {
  for (const name of ['iss', 'sub']) {
    const value = own(payload, name);
    if (value !== undefined && typeof value !== 'string') return `Jwt payload [${name}] field is not a string`;
  }
  for (const name of ['iat', 'nbf', 'exp']) {
    const value = own(payload, name);
    if (value === undefined) continue;
    if (typeof value !== 'number') return `Jwt payload [${name}] field is not an integer`;
    if (value < 0 || value >= 2 ** 64) return `Jwt payload [${name}] field is not a positive 64 bit integer`;
  }
  const jti = own(payload, 'jti');
  if (jti !== undefined && typeof jti !== 'string') return 'Jwt payload [jti] field is not a string';
  const aud = own(payload, 'aud');
  if (aud === undefined || typeof aud === 'string') return undefined;
  return Array.isArray(aud) && aud.every((one) => typeof one === 'string')
    ? undefined
    : 'Jwt payload [aud] field is not a string or string list';
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
