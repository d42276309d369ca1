import type {
  CertificateValidationContextJson,
  SubjectAltNameMatcherJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { compileStringMatcher } from '../../../src/routing/string-matcher.ts';
import type { DescribedCertificate } from './describe-certificate.ts';

/** Why a certificate whose chain is fine is refused nevertheless: the counter of Envoy that it counts for, and Envoy's words. */
export interface PeerRefusal {
  readonly stat: 'fail_verify_san' | 'fail_verify_cert_hash' | 'fail_verify_error';
  readonly reason: string;
}

/** What is asked of a peer's own certificate. `wanted` are DNS names of which it must have one (auto_san_validation). */
export type PeerCheck = (certificate: DescribedCertificate, wanted?: readonly string[]) => PeerRefusal | undefined;

const KINDS = { URI: 'uri', DNS: 'dns', EMAIL: 'email', IP_ADDRESS: 'ip' } as const;

/** Envoy: verifySubjectAltName, verifyCertificateHashList, verifyCertificateSpkiList; hashes and SPKIs are alternatives. */
export function compilePeerCheck(json: CertificateValidationContextJson, path: string, problems: ProblemList): PeerCheck {
  const names = (json.matchTypedSubjectAltNames ?? []).map((m, i) => sanMatcher(m, `${path}.matchTypedSubjectAltNames[${i}]`, problems));
  const hashes = (json.verifyCertificateHash ?? []).map((hash, i) => {
    const plain = hash.replaceAll(':', '').toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(plain)) problems.invalid(`${path}.verifyCertificateHash[${i}]`, 'must be a SHA-256 in hexadecimal');
    return plain;
  });
  const spkis = (json.verifyCertificateSpki ?? []).map((spki, i) => {
    if (Buffer.from(spki, 'base64').length !== 32) problems.invalid(`${path}.verifyCertificateSpki[${i}]`, 'must be a SHA-256 in base64');
    return spki;
  });
  return (certificate, wanted) => {
    if (certificate.notAfter < Date.now())
      return { stat: 'fail_verify_error', reason: 'X509_verify_cert: certificate verification error at depth 0: certificate has expired' };
    if (wanted !== undefined && !wanted.some((name) => hasName(certificate, name)))
      return {
        stat: 'fail_verify_san',
        reason: `verify SAN list, expected SANs: [${wanted.join(', ')}], certificate SANs: [${all(certificate)}]`,
      };
    if (names.length > 0 && !names.some((matches) => matches(certificate)))
      return { stat: 'fail_verify_san', reason: `SAN matcher, certificate SANs are [${all(certificate)}]` };
    if (hashes.length + spkis.length === 0 || hashes.includes(certificate.sha256) || spkis.includes(certificate.spki)) return undefined;
    return { stat: 'fail_verify_cert_hash', reason: 'cert hash and spki' };
  };
}

/** Envoy: verifySubjectAltName; host names with wildcards, anything else as it is. */
function hasName({ names }: DescribedCertificate, name: string): boolean {
  return names.dns.some((san) => dnsMatches(san, name)) || names.uri.includes(name) || names.ip.includes(name);
}

function all({ names }: DescribedCertificate): string {
  return [...names.uri, ...names.dns, ...names.email, ...names.ip].join(', ');
}

function sanMatcher(json: SubjectAltNameMatcherJson, path: string, problems: ProblemList): (certificate: DescribedCertificate) => boolean {
  const kind = Object.hasOwn(KINDS, json.sanType ?? '') ? KINDS[json.sanType as keyof typeof KINDS] : undefined;
  if (kind === undefined) {
    if (json.sanType === 'OTHER_NAME') problems.unsupported(`${path}.sanType`, 'names are URI, DNS, EMAIL or IP_ADDRESS');
    else problems.invalid(`${path}.sanType`, 'is required');
    return () => false;
  }
  const matcher = compileStringMatcher(json.matcher ?? {}, `${path}.matcher`, problems);
  const exact = json.matcher?.exact;
  // Envoy: an exact matcher for DNS names takes the certificate's wildcards for what they are.
  if (kind === 'dns' && exact !== undefined) return ({ names }) => names.dns.some((san) => dnsMatches(san, exact));
  return ({ names }) => names[kind].some((name) => matcher.test(name));
}

/** Whether a certificate's DNS name, which may be a wildcard, is this host's. RFC 6125 6.4.3. */
export function dnsMatches(san: string, host: string): boolean {
  const name = host.toLowerCase();
  const pattern = san.toLowerCase();
  if (pattern === name) return true;
  if (!pattern.startsWith('*.')) return false;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
