/** A certificate with its key, as an agent holds and keeps it: PEM, the key first, then the chain. */
import { createHash } from 'node:crypto';
import { type Certificate, readCertificates } from '../../src/pki/certificate.ts';
import { publicKeyInfo, readKey } from '../../src/pki/keys.ts';
import { BACKDATE_MS } from '../../src/pki/sign-certificate.ts';
import { formatSpiffeId } from '../../src/pki/spiffe-id.ts';
import { identityOf } from '../../src/pki/svid.ts';

export interface KeptCertificate {
  identity: string;
  dnsNames: readonly string[];
  /** PEM. */
  key: string;
  /** PEM, leaf first, without the root. */
  chain: string;
  /** Lower-case hex. */
  serial: string;
  /** The authority that signed it, by the first 12 hex digits of its key's identifier. */
  authority: string;
  notBefore: Date;
  notAfter: Date;
}

/** Throws PkiError for what is no SVID with its key. */
export function keptCertificate(key: string, chain: string): KeptCertificate | undefined {
  const [leaf] = readCertificates(chain);
  const id = leaf && identityOf(leaf);
  if (!leaf || !id || !publicKeyInfo(readKey(key)).equals(publicKeyInfo(leaf.publicKey))) return undefined;
  const { serial, notBefore, notAfter, authorityKeyId = '' } = leaf;
  const dnsNames = dnsNamesIn(leaf);
  return { identity: formatSpiffeId(id), dnsNames, key, chain, serial, authority: authorityKeyId.slice(0, 12), notBefore, notAfter };
}

const dnsNamesIn = ({ sans }: Certificate): string[] => sans.filter(({ type }) => type === 'dns').map(({ value }) => value);

/** Equal for certificates that stand for each other. */
export const certificateKey = (identity: string, dnsNames: readonly string[]): string => [identity, ...[...dnsNames].sort()].join(' ');

/** The name of its file: readable, and its own. */
export function fileOf(identity: string, dnsNames: readonly string[]): string {
  const words = identity.replace(/^spiffe:\/\/[^/]+\//, '').replaceAll(/[^A-Za-z0-9]+/g, '-');
  const hash = createHash('sha256').update(certificateKey(identity, dnsNames)).digest('hex').slice(0, 8);
  return `${words.slice(0, 80)}-${hash}.pem`;
}

/** When it was made: certificates begin a little earlier, for clocks that differ. */
export function issuedAt({ notBefore, notAfter }: Pick<KeptCertificate, 'notBefore' | 'notAfter'>): number {
  return Math.min(notBefore.getTime() + BACKDATE_MS, notAfter.getTime());
}

/** Half of its life, one per cent up or down, so that what began together does not renew together. As Istio's SECRET_GRACE_PERIOD_RATIO. */
export function renewalOf(certificate: Pick<KeptCertificate, 'notBefore' | 'notAfter'>, random = Math.random): number {
  const from = issuedAt(certificate);
  return from + (certificate.notAfter.getTime() - from) * (0.5 + (random() * 2 - 1) * 0.01);
}
