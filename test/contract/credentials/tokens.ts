/** JSON Web Tokens and key sets by hand (RFC 7515, 7517, 7518): no library that the proxy could share its mistakes with. */
import { constants, createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { TokenSpec } from './types.ts';

const keys = new Map<string, KeyObject>();

/** The private key of that name and algorithm, the same for the whole process: RSA keys take their time. */
export function signingKey(name: string, alg: string): KeyObject {
  const id = `${name} ${alg}`;
  const known = keys.get(id) ?? makeKey(alg);
  keys.set(id, known);
  return known;
}

function makeKey(alg: string): KeyObject {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519').privateKey;
  if (alg.startsWith('ES'))
    return generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg]! }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

/** A key set of public keys. */
export function keySet(names: readonly string[], algs: Readonly<Record<string, string>>): string {
  const list = names.map((name) => {
    const alg = algs[name];
    if (alg === undefined) throw new Error(`no key ${name}`);
    return { ...createPublicKey(signingKey(name, alg)).export({ format: 'jwk' }), kid: name, use: 'sig' };
  });
  return JSON.stringify({ keys: list });
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signatureOf(text: string, alg: string, key: KeyObject): Buffer {
  const hash = `sha${alg.slice(2)}`;
  const data = Buffer.from(text);
  if (alg === 'none') return Buffer.alloc(0);
  if (alg === 'EdDSA') return sign(null, data, key);
  if (alg.startsWith('HS'))
    return createHmac(hash, createPublicKey(key).export({ type: 'spki', format: 'pem' }))
      .update(data)
      .digest();
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return sign(hash, data, alg.startsWith('PS') ? { key, ...pss } : { key });
}

/** @param keyAlg the algorithm that the case's key was declared with */
export function makeToken(spec: TokenSpec, keyAlg: string, now: number): string {
  const { alg = keyAlg, kid = spec.key, expires = 3600, notBefore, tampered, claims } = spec;
  const seconds = Math.floor(now / 1000);
  const payload = {
    ...(expires !== null && { exp: seconds + expires }),
    ...(notBefore !== undefined && { nbf: seconds + notBefore }),
    ...claims,
  };
  const head = encoded({ alg, typ: 'JWT', ...(kid !== null && { kid }) });
  const text = `${head}.${encoded(payload)}`;
  const signature = signatureOf(text, alg, signingKey(spec.key, keyAlg)).toString('base64url');
  if (tampered === 'claims') return `${head}.${encoded({ ...payload, sub: 'mallory', admin: true })}.${signature}`;
  return `${text}.${tampered === 'signature' ? signature.slice(0, -8) : signature}`;
}
