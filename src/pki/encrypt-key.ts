/** Private keys at rest: PKCS#8 (RFC 5958) encrypted with AES-256-CBC under a key derived by scrypt (RFC 7914 7, RFC 8018 6.2). */
import { createCipheriv, type KeyObject, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { integer, octets, oid, sequence, toDer } from './asn1.ts';
import { OID } from './oids.ts';
import { toPem } from './pem.ts';

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

// OpenSSL's own default for `pkcs8 -scrypt`: 16 MiB and some 50 ms.
const COST = { N: 16_384, r: 8, p: 1 };

/** PEM that openssl and Node read with the passphrase. */
export async function encryptKey(key: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const secret = await derive(passphrase.normalize('NFC'), salt, 32, { ...COST, maxmem: 64 * 1024 * 1024 });
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const content = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);
  const kdf = sequence(oid(OID.scrypt), sequence(octets(salt), integer(COST.N), integer(COST.r), integer(COST.p), integer(32)));
  const scheme = sequence(oid(OID.aes256Cbc), octets(iv));
  return toPem('ENCRYPTED PRIVATE KEY', toDer(sequence(sequence(oid(OID.pbes2), sequence(kdf, scheme)), octets(content))));
}
