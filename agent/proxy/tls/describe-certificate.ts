import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from '../../../src/routing/peer-certificate.ts';

/** Names of a certificate, by kind, in its order. */
export interface CertificateNames {
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly email: readonly string[];
  readonly ip: readonly string[];
}

export interface DescribedCertificate extends PeerCertificate {
  readonly names: CertificateNames;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
  /** Base64 of the SHA-256 of the public key's DER. */
  readonly spki: string;
}

/** Peers come again and again: what was found out about them is kept. */
const KNOWN_CERTIFICATES = 4096;
const known = new Map<string, DescribedCertificate>();

/** What a certificate says. */
export function describeCertificate(certificate: X509Certificate): DescribedCertificate {
  const sha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  let found = known.get(sha256);
  if (found === undefined) {
    found = new Description(certificate, sha256);
    if (known.size >= KNOWN_CERTIFICATES) known.delete(known.keys().next().value!);
    known.set(sha256, found);
  }
  return found;
}

class Description implements DescribedCertificate {
  readonly sha256: string;
  readonly names: CertificateNames;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly #certificate: X509Certificate;

  constructor(certificate: X509Certificate, sha256: string) {
    this.#certificate = certificate;
    this.sha256 = sha256;
    this.names = readNames(certificate.subjectAltName);
    this.uriSans = this.names.uri;
    this.dnsSans = this.names.dns;
    this.subject = rfc2253(certificate.subject);
    this.issuer = rfc2253(certificate.issuer);
    this.serial = certificate.serialNumber.toLowerCase();
    this.notBefore = certificate.validFromDate.getTime();
    this.notAfter = certificate.validToDate.getTime();
  }

  get pem(): string {
    return urlEncodedPem(this.#certificate);
  }

  get spki(): string {
    const der = this.#certificate.publicKey.export({ type: 'spki', format: 'der' });
    return process.getBuiltinModule('node:crypto').createHash('sha256').update(der).digest('base64');
  }
}

/** Envoy: urlEncodedPemEncodedPeerCertificate; it encodes what may not stand in a quoted value of the header. */
export function urlEncodedPem(certificate: X509Certificate): string {
  return certificate
    .toString()
    .replaceAll('\n', '%0A')
    .replaceAll(' ', '%20')
    .replaceAll('+', '%2B')
    .replaceAll('/', '%2F')
    .replaceAll('=', '%3D');
}

/** Node's text: `URI:spiffe://a, DNS:b, IP Address:10.0.0.1`; a value with a comma or quote is a JSON string. */
function readNames(text: string | undefined): CertificateNames {
  const names = { uri: [] as string[], dns: [] as string[], email: [] as string[], ip: [] as string[] };
  for (const found of (text ?? '').matchAll(
    /(URI|DNS|email|IP Address|othername|DirName|Registered ID):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy,
  )) {
    const [, kind, raw = ''] = found;
    const value = raw.startsWith('"') ? (JSON.parse(raw) as string) : raw;
    if (kind === 'URI') names.uri.push(value);
    else if (kind === 'DNS') names.dns.push(value);
    else if (kind === 'email') names.email.push(value);
    else if (kind === 'IP Address') names.ip.push(canonicalIp(value));
  }
  return names;
}

function canonicalIp(ip: string): string {
  return ip.includes(':') ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip;
}

/** One attribute a line, first to last, becomes the reverse with commas. Bytes above ASCII are escaped (RFC 2253 2.4). */
function rfc2253(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .filter(Boolean)
    .reverse()
    .map((line) =>
      line
        .split(/ \+ (?=[A-Za-z0-9.]+=)/)
        .reverse()
        .join('+'),
    )
    .join(',')
    .replaceAll(/\P{ASCII}+/gu, (part) => [...Buffer.from(part, 'utf8')].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join(''));
}
