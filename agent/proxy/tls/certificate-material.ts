import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type {
  CertificateValidationContextJson,
  TlsCertificateJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { readDataSource } from './data-source.ts';

/** A certificate chain with its key, in PEM. */
export interface OwnCertificate {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  /** The chain, the proxy's own certificate first. */
  readonly chain: readonly X509Certificate[];
}

/** node:tls loads OpenSSL's own certificates; only proxies with TLS need it. */
export const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');

const BLOCK = /-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g;

/** The CERTIFICATE blocks of a PEM text. Throws when there is none or one is broken. */
export function readChain(pem: string, what: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new Error(`${what} has no CERTIFICATE block`);
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`${what}: certificate ${i + 1} of ${blocks.length} is unreadable`);
    }
  });
}

/** Reads a certificate and its key, and tries them out. Throws with the reason. */
export function readOwnCertificate(json: TlsCertificateJson): OwnCertificate {
  const cert = readDataSource(json.certificateChain);
  const key = readDataSource(json.privateKey);
  if (cert === undefined) throw new Error('certificateChain is empty');
  if (key === undefined) throw new Error('privateKey is empty');
  const chain = readChain(cert, 'certificateChain');
  const passphrase = readDataSource(json.password);
  const options: SecureContextOptions = passphrase === undefined ? { cert, key } : { cert, key, passphrase };
  try {
    tls().createSecureContext(options);
  } catch (error) {
    const { code, reason = '' } = error as Error & { code?: string; reason?: string };
    throw new Error(
      code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? 'privateKey is not the key of certificateChain'
        : `privateKey or certificateChain cannot be used: ${reason || (error as Error).message}`,
    );
  }
  return { cert, key, passphrase, chain };
}

/** Certificates that peers are trusted by, and revocations, in PEM; empty when the context names none. */
export interface TrustedCa {
  readonly ca: readonly string[];
  readonly crl: string | undefined;
  readonly roots: readonly X509Certificate[];
}

/** Reads the trusted CA and the CRL of a validation context. Throws with the reason. */
export function readTrustedCa(json: CertificateValidationContextJson): TrustedCa {
  const pem = readDataSource(json.trustedCa);
  const crl = readDataSource(json.crl);
  const roots = pem === undefined ? [] : readChain(pem, 'trustedCa');
  const ca = roots.map((root) => root.toString());
  if (crl !== undefined) {
    try {
      tls().createSecureContext({ crl });
    } catch {
      throw new Error('crl is not a certificate revocation list in PEM');
    }
  }
  return { ca, crl, roots };
}
