/** Reads certificates: RFC 5280. What node:crypto tells is taken from there, the rest from the encoding. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Asn1, bytesOf, fromDer, isContext, isUniversal, itemsOf, oidOf, TYPE, toDer } from './asn1.ts';
import { KEY_USAGES, type KeyUsage } from './extensions.ts';
import { describeKey, isSignedBy, type KeyDescription } from './keys.ts';
import { formatName, readGeneralNames, type SubjectAltName } from './names.ts';
import { OID, SIGNATURES } from './oids.ts';
import { readPem, toPem } from './pem.ts';
import { PkiError } from './pki-error.ts';

export interface Certificate {
  der: Buffer;
  pem: string;
  /** Lower-case hex, without leading zeros. */
  serial: string;
  /** As openssl prints them; empty for none. */
  subject: string;
  issuer: string;
  subjectName: Asn1;
  issuerName: Asn1;
  notBefore: Date;
  notAfter: Date;
  sans: readonly SubjectAltName[];
  ca: boolean;
  /** How many CAs may stand between this one and a leaf. */
  pathLength: number | undefined;
  /** undefined: the extension is not there. */
  keyUsage: readonly KeyUsage[] | undefined;
  /** Object identifiers. */
  extendedKeyUsage: readonly string[] | undefined;
  permitted: readonly SubjectAltName[];
  excluded: readonly SubjectAltName[];
  /** Hex. */
  subjectKeyId: string | undefined;
  authorityKeyId: string | undefined;
  publicKey: KeyObject;
  key: KeyDescription;
  signature: { name: string; weak: boolean };
  /** Critical extensions that are not understood here. */
  unknownCritical: readonly string[];
  /** SHA-256 of the DER, lower-case hex. */
  fingerprint: string;
}

/** Reads one certificate in DER. Throws PkiError `certificate-unreadable`. */
export function readCertificate(der: Uint8Array): Certificate {
  try {
    return parse(Buffer.from(der.buffer, der.byteOffset, der.byteLength));
  } catch (error) {
    throw new PkiError('certificate-unreadable', `this is not a certificate: ${(error as Error).message}`);
  }
}

/** All certificates of a PEM text, in order. Throws PkiError `certificate-unreadable` when there is none or one is broken. */
export function readCertificates(pem: string): Certificate[] {
  const blocks = readPem(pem).filter(
    ({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE',
  );
  if (blocks.length === 0) throw new PkiError('certificate-unreadable', 'there is no CERTIFICATE block in it');
  return blocks.map(({ der }) => readCertificate(der));
}

/** Whether one certificate's signature was made by the key of another. Names are not compared. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const [tbs, algorithm, signature] = itemsOf(fromDer(certificate.der));
  const known = SIGNATURES[oidOf(itemsOf(algorithm)[0])];
  if (known === undefined || known.weak) return false;
  return isSignedBy(toDer(tbs as Asn1), bytesOf(signature).subarray(1), issuer.publicKey, known.hash);
}

function parse(der: Buffer): Certificate {
  const x509 = new X509Certificate(der);
  const [tbs, outer, bits] = itemsOf(fromDer(der));
  const all = itemsOf(tbs);
  if (bytesOf(bits)[0] !== 0) throw new Error('its signature is not a whole number of bytes');
  const fields = isContext(all[0], 0) ? all.slice(1) : all;
  const [, , issuerName, , subjectName] = fields as [Asn1, Asn1, Asn1, Asn1, Asn1];
  // RFC 5280 4.1.1.2.
  if (!toDer(fields[1] as Asn1).equals(toDer(outer as Asn1))) throw new Error('its two signature algorithms differ');
  const wrapper = fields.find((field) => isContext(field, 3));
  const extensions = readExtensions(wrapper ? itemsOf(itemsOf(wrapper)[0]) : []);
  const signature = oidOf(itemsOf(outer)[0]);
  const known = SIGNATURES[signature];
  const { publicKey } = x509;
  return {
    der: x509.raw,
    pem: toPem('CERTIFICATE', x509.raw),
    serial: x509.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    subject: formatName(subjectName),
    issuer: formatName(issuerName),
    subjectName,
    issuerName,
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    ...extensions,
    publicKey,
    key: describeKey(publicKey),
    signature: { name: known?.name ?? signature, weak: known === undefined || known.weak === true },
    fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

type Extensions = Pick<
  Certificate,
  | 'sans'
  | 'ca'
  | 'pathLength'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'permitted'
  | 'excluded'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'unknownCritical'
>;

function readExtensions(list: readonly Asn1[]): Extensions {
  const found = new Map<string, Asn1>();
  const unknownCritical: string[] = [];
  for (const extension of list) {
    const parts = itemsOf(extension);
    const id = oidOf(parts[0]);
    if (found.has(id)) throw new Error(`the extension ${id} is there twice`);
    const critical = isUniversal(parts[1], TYPE.BOOLEAN) && bytesOf(parts[1])[0] !== 0;
    if (critical && !UNDERSTOOD.has(id)) unknownCritical.push(id);
    if (UNDERSTOOD.has(id)) found.set(id, fromDer(bytesOf(parts.at(-1))));
  }
  const constraints = found.get(OID.basicConstraints);
  const [ca, pathLength] = constraints ? itemsOf(constraints) : [];
  const usage = found.get(OID.keyUsage);
  const purposes = found.get(OID.extendedKeyUsage);
  const sans = found.get(OID.subjectAltName);
  const names = found.get(OID.nameConstraints);
  const subjectKey = found.get(OID.subjectKeyIdentifier);
  const authority = found.get(OID.authorityKeyIdentifier);
  const authorityKey = authority && itemsOf(authority).find((part) => isContext(part, 0));
  return {
    sans: sans ? readGeneralNames(sans) : [],
    ca: isUniversal(ca, TYPE.BOOLEAN) && bytesOf(ca)[0] !== 0,
    pathLength: pathLength ? bytesOf(pathLength).readUIntBE(0, Math.min(bytesOf(pathLength).length, 6)) : undefined,
    keyUsage: usage && readKeyUsage(usage),
    extendedKeyUsage: purposes && itemsOf(purposes).map(oidOf),
    permitted: subtrees(names, 0),
    excluded: subtrees(names, 1),
    subjectKeyId: subjectKey && bytesOf(subjectKey).toString('hex'),
    authorityKeyId: authorityKey && bytesOf(authorityKey).toString('hex'),
    unknownCritical,
  };
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.nameConstraints,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
]);

function readKeyUsage(value: Asn1): KeyUsage[] {
  const bytes = bytesOf(value).subarray(1);
  return KEY_USAGES.filter((_, place) => ((bytes[place >> 3] ?? 0) & (0x80 >> (place & 7))) !== 0);
}

function subtrees(constraints: Asn1 | undefined, tag: number): SubjectAltName[] {
  const part = constraints && itemsOf(constraints).find((item) => isContext(item, tag));
  return part ? itemsOf(part).map((subtree) => readConstraint(itemsOf(subtree)[0] as Asn1)) : [];
}

/** Addresses in constraints carry a mask: they are told as hex, and judged by nobody here. */
function readConstraint(name: Asn1): SubjectAltName {
  const [read] = readGeneralNames({ value: [name] } as Asn1);
  return read as SubjectAltName;
}
