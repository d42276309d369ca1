/** A certificate authority as data: who signs, what is trusted, and what it issues. No I/O; whoever keeps the keys calls it. */
import type { KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from './certificate.ts';
import { generateKey, type KeyAlgorithm, publicKeyInfo } from './keys.ts';
import type { Subject, SubjectAltName } from './names.ts';
import { PkiError } from './pki-error.ts';
import { BACKDATE_MS, type CertificateTemplate, newSerial, type Signer, selfSigner, signCertificate } from './sign-certificate.ts';
import { parseSpiffeId, trustDomainProblem } from './spiffe-id.ts';

/** A certificate with the key that belongs to it. */
export interface KeyPair {
  certificate: Certificate;
  key: KeyObject;
}

/** What signs workload certificates. */
export interface Authority {
  trustDomain: string;
  signer: Signer;
  /** From the signing certificate up, without the root; empty when the root signs by itself. */
  chain: readonly Certificate[];
  /** When the first certificate of the way up expires: nothing issued outlives it. */
  notAfter: Date;
}

export const DAY_MS = 86_400_000;

/** The name that an authority's certificate carries: SPIFFE's X.509-SVID 3.2 wants the trust domain's ID in it. */
function authorityNames(trustDomain: string): SubjectAltName[] {
  const problem = trustDomainProblem(trustDomain);
  if (problem) throw new PkiError('identity-invalid', problem);
  return [{ type: 'uri', value: `spiffe://${trustDomain}` }];
}

export interface RootOptions {
  trustDomain: string;
  algorithm: KeyAlgorithm;
  subject: Subject;
  now: Date;
  lifeMs: number;
}

/** A new self-signed root. Throws PkiError `identity-invalid` for a bad trust domain. */
export async function createRoot({ trustDomain, algorithm, subject, now, lifeMs }: RootOptions): Promise<KeyPair> {
  const sans = authorityNames(trustDomain);
  const key = await generateKey(algorithm);
  const template: CertificateTemplate = {
    subject,
    sans,
    publicKey: publicKeyInfo(key),
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + lifeMs),
    ca: {},
  };
  return { key, certificate: readCertificate(signCertificate(template, selfSigner(template, key))) };
}

export interface IntermediateOptions {
  trustDomain: string;
  subject: Subject;
  /** SubjectPublicKeyInfo of the intermediate. */
  publicKey: Uint8Array;
  now: Date;
  lifeMs: number;
}

/** An intermediate that may sign leaves of its trust domain and nothing else, and no further authority. */
export function signIntermediate(root: KeyPair, { trustDomain, subject, publicKey, now, lifeMs }: IntermediateOptions): Certificate {
  const template: CertificateTemplate = {
    subject,
    sans: authorityNames(trustDomain),
    publicKey,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(Math.min(now.getTime() + lifeMs, root.certificate.notAfter.getTime())),
    ca: { pathLength: 0, constraints: { permittedUriHosts: [trustDomain] } },
  };
  return readCertificate(signCertificate(template, signerOf(root)));
}

/** A signer from a certificate and its key. */
export function signerOf({ certificate, key }: KeyPair): Signer {
  if (certificate.subjectKeyId === undefined)
    throw new PkiError('certificate-unreadable', 'the authority’s certificate has no subject key identifier');
  return { key, name: certificate.subjectName, keyId: Buffer.from(certificate.subjectKeyId, 'hex') };
}

/** @param above from the signer's issuer up, the root left out */
export function authorityOf(trustDomain: string, signing: KeyPair, above: readonly Certificate[], root: Certificate): Authority {
  const selfSigned = signing.certificate.fingerprint === root.fingerprint;
  const chain = selfSigned ? [] : [signing.certificate, ...above];
  const ends = [...chain, root].map((certificate) => certificate.notAfter.getTime());
  return { trustDomain, signer: signerOf(signing), chain, notAfter: new Date(Math.min(...ends)) };
}

export interface SvidRequest {
  /** SPIFFE ID in the authority's trust domain. */
  identity: string;
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  /** An RSA key: TLS 1.2's key exchange needs another usage. */
  rsa: boolean;
  dnsNames?: readonly string[];
  /** IP addresses in it as well. */
  addresses?: readonly string[];
  lifeMs: number;
  now: Date;
}

/** A new SVID, with what is written down about it. */
export interface IssuedSvid {
  der: Buffer;
  /** Lower-case hex without leading zeros, as `Certificate.serial`. */
  serial: string;
  notAfter: Date;
}

/** A new SVID; its life ends with the authority's at the latest. Throws PkiError `identity-invalid`. */
export function issueSvid(
  authority: Authority,
  { identity, publicKey, rsa, dnsNames = [], addresses = [], lifeMs, now }: SvidRequest,
): IssuedSvid {
  const parsed = parseSpiffeId(identity);
  if (!parsed.ok) throw new PkiError('identity-invalid', `${identity} is no SPIFFE ID: ${parsed.reason}`);
  const { trustDomain, path } = parsed.id;
  if (trustDomain !== authority.trustDomain)
    throw new PkiError('identity-invalid', `${identity} is not in the trust domain ${authority.trustDomain}`);
  if (path === '') throw new PkiError('identity-invalid', `${identity} names a trust domain, not a workload`);
  const serial = newSerial();
  // X.509 times are whole seconds.
  const notAfter = new Date(Math.floor(Math.min(now.getTime() + lifeMs, authority.notAfter.getTime()) / 1000) * 1000);
  const template: CertificateTemplate = {
    serial,
    subject: {},
    sans: [
      { type: 'uri', value: identity },
      ...dnsNames.map((value): SubjectAltName => ({ type: 'dns', value })),
      ...addresses.map((value): SubjectAltName => ({ type: 'ip', value })),
    ],
    publicKey,
    keyEncipherment: rsa,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter,
    ca: false,
  };
  return { der: signCertificate(template, authority.signer), serial: serial.toString('hex').replace(/^0+(?=.)/, ''), notAfter };
}
