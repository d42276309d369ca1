/** A root, an intermediate and leaves for tests. */
import type { KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '../../src/pki/certificate.ts';
import { generateKey, type KeyAlgorithm, publicKeyInfo } from '../../src/pki/keys.ts';
import type { SubjectAltName } from '../../src/pki/names.ts';
import { type CertificateTemplate, type Signer, selfSigner, signCertificate } from '../../src/pki/sign-certificate.ts';

export const HOUR = 3_600_000;

export interface Issued {
  certificate: Certificate;
  key: KeyObject;
}

export const signerOf = ({ certificate, key }: Issued): Signer => ({
  key,
  name: certificate.subjectName,
  keyId: Buffer.from(certificate.subjectKeyId as string, 'hex'),
});

const template = (key: KeyObject, more: Partial<CertificateTemplate>): CertificateTemplate => ({
  subject: {},
  sans: [],
  publicKey: publicKeyInfo(key),
  notBefore: new Date(Date.now() - HOUR),
  notAfter: new Date(Date.now() + HOUR),
  ca: false,
  ...more,
});

export async function makeRoot(more: Partial<CertificateTemplate> = {}, algorithm: KeyAlgorithm = 'ec-p256'): Promise<Issued> {
  const key = await generateKey(algorithm);
  const t = template(key, { subject: { commonName: 'test root', organization: 'Fairlead' }, ca: {}, ...more });
  return { key, certificate: readCertificate(signCertificate(t, selfSigner(t, key))) };
}

export async function issue(issuer: Issued, more: Partial<CertificateTemplate> = {}, algorithm: KeyAlgorithm = 'ec-p256'): Promise<Issued> {
  const key = await generateKey(algorithm);
  return { key, certificate: readCertificate(signCertificate(template(key, more), signerOf(issuer))) };
}

export const uri = (value: string): SubjectAltName => ({ type: 'uri', value });
export const WORKLOAD = 'spiffe://cluster.local/ns/default/sa/web';
