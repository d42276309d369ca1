/** Private keys: made, used, written and read by node:crypto. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as cryptoSign,
  verify as cryptoVerify,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type Asn1, bytesOf, fromDer, itemsOf, nothing, oid, sequence } from './asn1.ts';
import { OID } from './oids.ts';
import { PkiError } from './pki-error.ts';

export const KEY_ALGORITHMS = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

const generate = promisify(generateKeyPair);

/** A new private key, made off the event loop. */
export async function generateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const pair = algorithm.startsWith('rsa-')
    ? await generate('rsa', { modulusLength: Number(algorithm.slice(4)), publicExponent: 0x10001 })
    : await generate('ec', { namedCurve: algorithm === 'ec-p256' ? 'P-256' : 'P-384' });
  return pair.privateKey;
}

/** DER of the SubjectPublicKeyInfo of a private or public key. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
}

/** RFC 7093 2, method 1: the first 160 bits of the SHA-256 of the key's bits. */
export function keyIdentifier(spki: Uint8Array): Buffer {
  // Without the byte that counts unused bits.
  const key = bytesOf(itemsOf(fromDer(spki))[1]).subarray(1);
  return createHash('sha256').update(key).digest().subarray(0, 20);
}

/** What people call a key's kind: `ECDSA P-256`, `RSA 2048`; and why nobody should rely on it. */
export interface KeyDescription {
  name: string;
  /** `it has 1024 bits; 2048 are the least`. */
  weakness: string | undefined;
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

export function describeKey(key: KeyObject): KeyDescription {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'rsa' || type === 'rsa-pss') {
    const size = modulusLength ?? 0;
    return { name: `RSA ${size}`, weakness: size < 2048 ? `it has ${size} bits; 2048 are the least` : undefined };
  }
  if (type === 'ec') {
    const curve = CURVES[namedCurve ?? ''];
    const weakness = curve ? undefined : `its curve ${namedCurve} is none of P-256, P-384 and P-521, which TLS peers understand`;
    return { name: `ECDSA ${curve ?? namedCurve}`, weakness };
  }
  if (type === 'ed25519' || type === 'ed448') return { name: type === 'ed25519' ? 'Ed25519' : 'Ed448', weakness: undefined };
  return { name: type ?? 'unknown', weakness: `keys of type ${type} are not used for TLS` };
}

/** How a key signs: the algorithm's identifier as certificates carry it, and the hash. */
export function signatureAlgorithm(key: KeyObject): { identifier: Asn1; hash: 'sha256' | 'sha384' } {
  if (key.asymmetricKeyType === 'rsa') return { identifier: sequence(oid(OID.sha256WithRsa), nothing()), hash: 'sha256' };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return { identifier: sequence(oid(OID.ecdsaWithSha256)), hash: 'sha256' };
  if (curve === 'secp384r1') return { identifier: sequence(oid(OID.ecdsaWithSha384)), hash: 'sha384' };
  throw new PkiError('key-unsupported', `keys of this kind do not sign here: ${describeKey(key).name}`);
}

export function sign(data: Uint8Array, key: KeyObject): Buffer {
  return cryptoSign(signatureAlgorithm(key).hash, data, key);
}

export function isSignedBy(data: Uint8Array, signature: Uint8Array, key: KeyObject, hash: string): boolean {
  try {
    return cryptoVerify(hash, data, key, signature);
  } catch {
    // A key of another type than the signature's.
    return false;
  }
}

/** PKCS#8 PEM without encryption; `encryptKey` is for keys that lie about for long. */
export function keyToPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Reads PEM (PKCS#8, PKCS#1, SEC 1; encrypted ones with their passphrase) or DER of PKCS#8. Throws PkiError `key-unreadable`, `key-encrypted`. */
export function readKey(source: string | Buffer, passphrase?: string): KeyObject {
  try {
    const key = typeof source === 'string' ? source : { key: source, format: 'der' as const, type: 'pkcs8' as const };
    if (passphrase === undefined) return createPrivateKey(key);
    return createPrivateKey(typeof key === 'string' ? { key, passphrase } : { ...key, passphrase });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // OpenSSL's prompt for a passphrase is cut off.
    if (passphrase === undefined && /MISSING_PASSPHRASE|INTERRUPTED_OR_CANCELLED/.test(code))
      throw new PkiError('key-encrypted', 'the key is encrypted, and no passphrase was given');
    // A wrong passphrase gives well-padded rubbish one time in 256: the message of OpenSSL is another one then.
    const encrypted = typeof source !== 'string' || source.includes('ENCRYPTED');
    if (passphrase !== undefined && encrypted) throw new PkiError('key-encrypted', 'the passphrase does not open the key');
    throw new PkiError('key-unreadable', 'this is not a private key in PEM or PKCS#8');
  }
}
