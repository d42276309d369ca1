import type { Certificate } from '../../pki/certificate.ts';
import { OID } from '../../pki/oids.ts';
import { formatSpiffeId } from '../../pki/spiffe-id.ts';
import { identityOf } from '../../pki/svid.ts';

/** A certificate as `-o json` gives it. Times are ISO 8601 in UTC. */
export interface CertificateView {
  subject: string;
  issuer: string;
  /** SPIFFE ID, when it is an SVID. */
  identity: string | undefined;
  names: readonly string[];
  notBefore: string;
  notAfter: string;
  /** Until it expires; negative afterwards. */
  secondsLeft: number;
  ca: boolean;
  pathLength: number | undefined;
  keyUsage: readonly string[] | undefined;
  purposes: readonly string[] | undefined;
  key: string;
  signature: string;
  serial: string;
  sha256: string;
}

const PURPOSES: Readonly<Record<string, string>> = {
  [OID.serverAuth]: 'TLS server',
  [OID.clientAuth]: 'TLS client',
  [OID.anyExtendedKeyUsage]: 'any',
};

export function certificateView(certificate: Certificate, now: Date): CertificateView {
  const identity = identityOf(certificate);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    identity: identity && formatSpiffeId(identity),
    names: certificate.sans.map(({ type, value }) => `${type}:${value}`),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    secondsLeft: Math.floor((certificate.notAfter.getTime() - now.getTime()) / 1000),
    ca: certificate.ca,
    pathLength: certificate.pathLength,
    keyUsage: certificate.keyUsage,
    purposes: certificate.extendedKeyUsage?.map((id) => PURPOSES[id] ?? id),
    key: certificate.key.name,
    signature: certificate.signature.name,
    serial: certificate.serial,
    sha256: certificate.fingerprint,
  };
}

/** `in 23 h`, `3 d ago`: the two largest units would be noise. */
export function relativeTime(seconds: number): string {
  const size = Math.abs(seconds);
  const [amount, unit] =
    size >= 2 * 86_400 ? [size / 86_400, 'd'] : size >= 2 * 3600 ? [size / 3600, 'h'] : size >= 120 ? [size / 60, 'min'] : [size, 's'];
  return seconds < 0 ? `${Math.floor(amount)} ${unit} ago` : `in ${Math.floor(amount)} ${unit}`;
}

/** What a certificate is called in a sentence: its identity, a name, or its subject. */
export function certificateName(certificate: Certificate): string {
  const uri = certificate.sans.find((san) => san.type === 'uri')?.value;
  return uri ?? certificate.sans[0]?.value ?? (certificate.subject || `serial ${certificate.serial}`);
}
