import type { JsonWebKey, KeyObject } from 'node:crypto';
import { decodeBase64Url } from './base64url.ts';
import { type Jwt, type JwtProblem, VERIFICATION_FAILS } from './parse-jwt.ts';

type KeyType = 'RSA' | 'EC' | 'oct' | 'OKP';

interface VerificationKey {
  readonly kid: string;
  readonly alg: string;
  readonly type: KeyType;
  /** A secret's bytes for `oct`. */
  readonly key: KeyObject | Buffer;
}

/** Keys that tokens are verified with. */
export type Jwks = readonly VerificationKey[];

export const NO_KEYS = "Jwks doesn't have any valid public key";
export const NO_SUCH_KEY = "Jwks doesn't have key to match kid or alg from Jwt";

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
const ED25519_SIGNATURE_BYTES = 64;

/** Loaded when the first key is: most commands read none. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

/** Reads a JWK set (RFC 7517), or certificates by key id; keys that cannot be used are left out. A text says why there are none. */
export function parseJwks(text: string): Jwks | JwtProblem {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'Jwks is an invalid JSON';
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'Jwks is an invalid JSON';
  const keys = (json as { keys?: unknown }).keys;
  if (keys === undefined) return certificates(json as Record<string, unknown>) ?? 'Jwks does not have [keys] field';
  if (!Array.isArray(keys)) return '[keys] in Jwks is not an array';
  const usable = keys.flatMap((jwk) => readKey(jwk as Record<string, unknown>) ?? []);
  return usable.length === 0 ? NO_KEYS : usable;
}

function certificates(byKid: Readonly<Record<string, unknown>>): Jwks | undefined {
  const entries = Object.entries(byKid);
  if (entries.length === 0 || !entries.every(([, pem]) => typeof pem === 'string' && pem.startsWith('-----BEGIN CERTIFICATE-----')))
    return undefined;
  try {
    return entries.map(([kid, pem]) => ({ kid, alg: '', type: 'RSA', key: new (crypto().X509Certificate)(pem as string).publicKey }));
  } catch {
    return undefined;
  }
}

function readKey(jwk: Readonly<Record<string, unknown>> | null): VerificationKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const text = (name: string): string => (typeof jwk[name] === 'string' ? jwk[name] : '');
  const type = text('kty') as KeyType;
  const [kid, alg] = [text('kid'), text('alg')];
  if (type === 'oct') {
    const key = decodeBase64Url(text('k'));
    return key === undefined || key.length === 0 || (alg !== '' && !alg.startsWith('HS')) ? undefined : { kid, alg, type, key };
  }
  const wanted = { RSA: /^[RP]S/, EC: /^ES/, OKP: /^EdDSA$/ }[type];
  if (wanted === undefined || (alg !== '' && !wanted.test(alg))) return undefined;
  const curve = text('crv') || CURVES[alg === '' ? 'ES256' : alg];
  if (type === 'EC' && alg !== '' && CURVES[alg] !== curve) return undefined;
  if (type === 'OKP' && curve !== 'Ed25519') return undefined;
  try {
    const { n, e, x, y } = jwk;
    const parts = type === 'RSA' ? { n, e } : type === 'EC' ? { crv: curve, x, y } : { crv: curve, x };
    return { kid, alg, type, key: crypto().createPublicKey({ key: { kty: type, ...parts } as JsonWebKey, format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

/** Verifies a token's signature with whichever key fits; undefined: it is good. Envoy: verifyJwtWithoutTimeChecking. */
export function verifySignature(jwt: Jwt, jwks: Jwks): JwtProblem | undefined {
  let fits = false;
  for (const one of jwks) {
    if (jwt.kid !== '' && one.kid !== '' && one.kid !== jwt.kid) continue;
    if (one.alg !== '' && one.alg !== jwt.alg) continue;
    fits = true;
    if (one.type === 'OKP' && jwt.signature.length !== ED25519_SIGNATURE_BYTES) return 'Jwt ED25519 signature is wrong length';
    if (isGood(jwt, one)) return undefined;
  }
  return fits ? VERIFICATION_FAILS : NO_SUCH_KEY;
}

/** Never an algorithm of another family than the key's: a public key is no secret (RFC 8725 3.1). */
function isGood({ alg, signedData, signature }: Jwt, { type, key }: VerificationKey): boolean {
  const data = Buffer.from(signedData, 'latin1');
  const hash = `sha${alg.slice(2)}`;
  const family = alg.slice(0, 2);
  const { constants, createHmac, timingSafeEqual, verify } = crypto();
  try {
    if (type === 'oct') {
      if (family !== 'HS') return false;
      const mac = createHmac(hash, key as Buffer)
        .update(data)
        .digest();
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
    if (type === 'OKP') return alg === 'EdDSA' && verify(null, data, key as KeyObject, signature);
    if (type === 'EC') return family === 'ES' && verify(hash, data, { key: key as KeyObject, dsaEncoding: 'ieee-p1363' }, signature);
    if (family === 'RS') return verify(hash, data, key as KeyObject, signature);
    if (family !== 'PS') return false;
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants;
    return verify(hash, data, { key: key as KeyObject, padding, saltLength }, signature);
  } catch {
    return false;
  }
}
