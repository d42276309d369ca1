/** JWT-SVIDs: https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md. Signed and verified by jose. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, errors, exportJWK, jwtVerify, SignJWT } from 'jose';
import { PkiError } from './pki-error.ts';
import { parseSpiffeId } from './spiffe-id.ts';
import type { JsonWebKey } from './trust-bundle.ts';

/** Section 2.3: the algorithms of the standard; none is symmetric. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ES384' : 'ES256';
}

/** The key's JWK for a trust bundle, with an id made from the key itself. */
export async function jwtKeyOf(key: KeyObject): Promise<JsonWebKey> {
  const jwk = await exportJWK(key.type === 'private' ? createPublicKey(key) : key);
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 22);
  return { ...(jwk as JsonWebKey), kid, use: 'jwt-svid' };
}

export interface JwtSvidRequest {
  /** SPIFFE ID of a workload. */
  subject: string;
  /** At least one. */
  audience: readonly string[];
  issuedAt: Date;
  expires: Date;
}

/** A signed token. Throws PkiError `identity-invalid`. */
export async function signJwtSvid({ subject, audience, issuedAt, expires }: JwtSvidRequest, key: KeyObject): Promise<string> {
  const parsed = parseSpiffeId(subject);
  if (!parsed.ok) throw new PkiError('identity-invalid', `${subject} is no SPIFFE ID: ${parsed.reason}`);
  if (audience.length === 0) throw new PkiError('identity-invalid', 'a token needs an audience');
  const { kid } = await jwtKeyOf(key);
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithmOf(key), typ: 'JWT', kid: kid as string })
    .setSubject(subject)
    .setAudience([...audience])
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(key);
}

/** The SPIFFE ID of a valid token. Throws PkiError `token-invalid`, whose message never repeats the token. */
export async function verifyJwtSvid(token: string, keys: readonly JsonWebKey[], audience: string, at: Date): Promise<string> {
  try {
    const keySet = createLocalJWKSet({ keys: keys.map(({ use: _, ...key }) => key) });
    const { payload } = await jwtVerify(token, keySet, {
      algorithms: ALGORITHMS,
      audience,
      currentDate: at,
      requiredClaims: ['sub', 'aud', 'exp'],
    });
    const parsed = parseSpiffeId(payload.sub ?? '');
    if (!parsed.ok) throw new PkiError('token-invalid', `the token's subject is no SPIFFE ID: ${parsed.reason}`);
    return payload.sub as string;
  } catch (error) {
    if (error instanceof PkiError) throw error;
    throw new PkiError(
      'token-invalid',
      error instanceof errors.JOSEError ? `the token is not valid: ${error.message}` : 'the token is not valid',
    );
  }
}
