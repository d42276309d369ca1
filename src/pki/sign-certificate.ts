/** Makes certificates: the to-be-signed part by ASN.1, the signature by node:crypto. RFC 5280 4.1. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { type Asn1, bits, context, fromDer, integer, sequence, time, toDer } from './asn1.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  type NameConstraints,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from './extensions.ts';
import { keyIdentifier, sign, signatureAlgorithm } from './keys.ts';
import { nameOf, type Subject, type SubjectAltName } from './names.ts';
import { OID } from './oids.ts';

/** Clocks differ: certificates begin that much before they are made. */
export const BACKDATE_MS = 2 * 60_000;

export interface CertificateTemplate {
  subject: Subject;
  sans: readonly SubjectAltName[];
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  notBefore: Date;
  notAfter: Date;
  /** A CA may sign others, at most `pathLength` more CAs below it. A leaf serves TLS as server and client. */
  ca: false | { pathLength?: number; constraints?: NameConstraints };
  /** Of keys that encipher, RSA: TLS 1.2's key exchange. */
  keyEncipherment?: boolean;
  /** Left out: 128 new random bits. */
  serial?: Uint8Array;
}

/** Who signs. */
export interface Signer {
  key: KeyObject;
  /** The subject of the signer's certificate, as it is encoded there. */
  name: Asn1;
  /** Its subject key identifier. */
  keyId: Uint8Array;
}

/** A signer that signs itself: the template's subject and key are its own. */
export function selfSigner(template: CertificateTemplate, key: KeyObject): Signer {
  return { key, name: nameOf(template.subject), keyId: keyIdentifier(template.publicKey) };
}

function extensionsOf(template: CertificateTemplate, signer: Signer): Asn1[] {
  const { ca, sans, subject } = template;
  const list = ca
    ? [basicConstraints(true, ca.pathLength), keyUsage(['keyCertSign', 'cRLSign'])]
    : [
        keyUsage(template.keyEncipherment ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature']),
        extendedKeyUsage([OID.serverAuth, OID.clientAuth]),
        basicConstraints(false),
      ];
  list.push(subjectKeyIdentifier(keyIdentifier(template.publicKey)), authorityKeyIdentifier(signer.keyId));
  if (sans.length > 0) list.push(subjectAltName(sans, !subject.commonName && !subject.organization));
  if (ca && ca.constraints !== undefined) list.push(nameConstraints(ca.constraints));
  return list;
}

/** A serial number: 128 random bits. */
export const newSerial = (): Buffer => randomBytes(16);

/** DER of a signed certificate. */
export function signCertificate(template: CertificateTemplate, signer: Signer): Buffer {
  const { identifier } = signatureAlgorithm(signer.key);
  const tbs = sequence(
    context(0, [integer(2)]),
    integer(template.serial ?? newSerial()),
    identifier,
    signer.name,
    sequence(time(template.notBefore), time(template.notAfter)),
    nameOf(template.subject),
    fromDer(template.publicKey),
    context(3, [sequence(...extensionsOf(template, signer))]),
  );
  return toDer(sequence(tbs, identifier, bits(sign(toDer(tbs), signer.key))));
}
