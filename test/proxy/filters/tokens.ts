/** Keys and tokens for tests, good ones and others; written by hand, so that anything can be wrong with them. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
export const ed = generateKeyPairSync('ed25519');
export const secret = Buffer.from('a secret of thirty-two bytes, ok');

export const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...more });

/** Every kind of key that there is. */
export const JWKS = JSON.stringify({
  keys: [
    jwk(rsa.publicKey, { kid: 'rsa', use: 'sig' }),
    jwk(ec.publicKey, { kid: 'ec', alg: 'ES256' }),
    jwk(ec384.publicKey, { kid: 'ec384' }),
    jwk(ed.publicKey, { kid: 'ed', alg: 'EdDSA' }),
    { kty: 'oct', kid: 'oct', alg: 'HS256', k: secret.toString('base64url') },
    { kty: 'nonsense', kid: 'x' },
  ],
});

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export interface TokenParts {
  header?: object | string;
  payload?: object | string;
  /** What signs; by default the key that the header's alg asks for. */
  key?: KeyObject | Buffer;
}

/** Texts stand for themselves, as JSON that may be none. */
export function token({ header = { alg: 'RS256', kid: 'rsa' }, payload = { iss: 'main' }, key }: TokenParts = {}): string {
  const { alg } = (typeof header === 'string' ? { alg: 'RS256' } : header) as { alg?: string };
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${signature(String(alg), signed, key).toString('base64url')}`;
}

function signature(alg: string, text: string, key: KeyObject | Buffer | undefined): Buffer {
  const hash = `sha${alg.slice(2, 5)}`;
  const data = Buffer.from(text);
  switch (alg.slice(0, 2)) {
    case 'RS':
      return sign(hash, data, (key as KeyObject) ?? rsa.privateKey);
    case 'PS':
      return sign(hash, data, {
        key: (key as KeyObject) ?? rsa.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ES':
      return sign(hash, data, { key: (key as KeyObject) ?? (alg === 'ES384' ? ec384 : ec).privateKey, dsaEncoding: 'ieee-p1363' });
    case 'Ed':
      return sign(null, data, (key as KeyObject) ?? ed.privateKey);
    case 'HS':
      return createHmac(hash, (key as Buffer) ?? secret)
        .update(data)
        .digest();
    default:
      return Buffer.from('none');
  }
}
