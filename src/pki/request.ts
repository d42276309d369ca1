/** Certificate requests: PKCS#10, RFC 2986. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Asn1, bits, bytesOf, context, fromDer, integer, isContext, itemsOf, oid, oidOf, sequence, set, toDer } from './asn1.ts';
import { subjectAltName } from './extensions.ts';
import { isSignedBy, publicKeyInfo, sign, signatureAlgorithm } from './keys.ts';
import { formatName, nameOf, readGeneralNames, type Subject, type SubjectAltName } from './names.ts';
import { OID, SIGNATURES } from './oids.ts';
import { readPem, toPem } from './pem.ts';
import { PkiError } from './pki-error.ts';

export interface CertificateRequest {
  /** As openssl prints it. */
  subject: string;
  /** What the requester would like to have; who it is decides what it gets. */
  sans: readonly SubjectAltName[];
  publicKey: KeyObject;
  /** SubjectPublicKeyInfo as it stands in the request. */
  publicKeyInfo: Buffer;
}

/** A request in PEM, signed by the key that it asks for. */
export function createRequest(key: KeyObject, sans: readonly SubjectAltName[], subject: Subject = {}): string {
  const wishes = sans.length === 0 ? [] : [sequence(subjectAltName(sans, nameOf(subject).value.length === 0))];
  const attributes = wishes.map((extensions) => sequence(oid(OID.extensionRequest), set(extensions)));
  const info = sequence(integer(0), nameOf(subject), fromDer(publicKeyInfo(key)), context(0, attributes));
  const { identifier } = signatureAlgorithm(key);
  return toPem('CERTIFICATE REQUEST', toDer(sequence(info, identifier, bits(sign(toDer(info), key)))));
}

/** Reads a request (PEM or DER) and checks its signature. Throws PkiError `request-unreadable`, `request-unsigned`. */
export function readRequest(source: string | Uint8Array): CertificateRequest {
  try {
    const [info, algorithm, bits] = itemsOf(fromDer(typeof source === 'string' ? requestBlock(source) : source));
    const request = content(info);
    const known = SIGNATURES[oidOf(itemsOf(algorithm)[0])];
    const signature = bytesOf(bits).subarray(1);
    if (known !== undefined && !known.weak && isSignedBy(toDer(info as Asn1), signature, request.publicKey, known.hash)) return request;
  } catch (error) {
    if (error instanceof PkiError) throw error;
    throw new PkiError('request-unreadable', `this is not a certificate request: ${(error as Error).message}`);
  }
  throw new PkiError('request-unsigned', 'the request is not signed by the key that it asks for');
}

function requestBlock(text: string): Buffer {
  const block = readPem(text).find(({ label }) => label === 'CERTIFICATE REQUEST' || label === 'NEW CERTIFICATE REQUEST');
  if (block === undefined) throw new PkiError('request-unreadable', 'there is no CERTIFICATE REQUEST block in it');
  return block.der;
}

function content(info: Asn1 | undefined): CertificateRequest {
  const [version, subject, key, attributes] = itemsOf(info);
  if (bytesOf(version).some((byte) => byte !== 0)) throw new Error('its version is unknown');
  const spki = toDer(key as Asn1);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const sans = isContext(attributes, 0) ? itemsOf(attributes).flatMap(wishedNames) : [];
  return { subject: formatName(subject as Asn1), sans, publicKey, publicKeyInfo: spki };
}

function wishedNames(attribute: Asn1): SubjectAltName[] {
  const [id, values] = itemsOf(attribute);
  if (oidOf(id) !== OID.extensionRequest) return [];
  const extensions = itemsOf(values).flatMap(itemsOf);
  return extensions.flatMap((extension) => {
    const parts = itemsOf(extension);
    return oidOf(parts[0]) === OID.subjectAltName ? readGeneralNames(fromDer(bytesOf(parts.at(-1)))) : [];
  });
}
