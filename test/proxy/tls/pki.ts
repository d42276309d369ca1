/** Certificates for TLS tests. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { createRoot, type KeyPair, signerOf } from '../../../src/pki/authority.ts';
import { generateKey, publicKeyInfo } from '../../../src/pki/keys.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { type CertificateTemplate, signCertificate } from '../../../src/pki/sign-certificate.ts';

export interface Issued {
  cert: string;
  key: string;
}

export interface Pki {
  /** The root, PEM. */
  ca: string;
  issue(options?: { uris?: string[]; dns?: string[]; ips?: string[]; cn?: string; from?: number; to?: number }): Promise<Issued>;
}

const DAY = 86_400_000;

/** A root of its own and what it signs; `from` and `to` are milliseconds from now. */
export async function createPki(trustDomain = 'cluster.local'): Promise<Pki> {
  const root: KeyPair = await createRoot({
    trustDomain,
    algorithm: 'ec-p256',
    subject: { organization: 'tests', commonName: `root of ${trustDomain}` },
    now: new Date(),
    lifeMs: 30 * DAY,
  });
  return {
    ca: root.certificate.pem,
    async issue({ uris = [], dns = [], ips = [], cn, from = -60_000, to = DAY } = {}) {
      const key = await generateKey('ec-p256');
      const template: CertificateTemplate = {
        subject: cn === undefined ? {} : { organization: 'tests', commonName: cn },
        sans: [
          ...uris.map((value) => ({ type: 'uri' as const, value })),
          ...dns.map((value) => ({ type: 'dns' as const, value })),
          ...ips.map((value) => ({ type: 'ip' as const, value })),
        ],
        publicKey: publicKeyInfo(key),
        notBefore: new Date(Date.now() + from),
        notAfter: new Date(Date.now() + to),
        ca: false,
      };
      const der = signCertificate(template, signerOf(root));
      return { cert: toPem('CERTIFICATE', der), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

export function certificateSecret(name: string, { cert, key }: Issued): SecretJson {
  return { name, tlsCertificate: { certificateChain: { inlineString: cert }, privateKey: { inlineString: key } } };
}

export function caSecret(name: string, ca: string): SecretJson {
  return { name, validationContext: { trustedCa: { inlineString: ca } } };
}
