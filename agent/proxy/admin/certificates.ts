import type { X509Certificate } from 'node:crypto';
import type { CertificateDetailsJson, CertificateJson, CertificatesJson } from '#envoy-api/envoy/admin/v3/certs_pb.js';
import type { CommonTls, TlsState } from '../tls/common-context.ts';
import { describeCertificate } from '../tls/describe-certificate.ts';

const DAY_MS = 86_400_000;

/** Envoy's `/certs` (Certificates of envoy.admin.v3). Contexts of the same certificates are one: there may be one for each cluster. */
export function certificatesOf(contexts: Iterable<CommonTls>, now = Date.now()): CertificatesJson {
  const seen = new Map<unknown, Set<unknown>>();
  const certificates: CertificateJson[] = [];
  for (const context of contexts) {
    const state = context.state();
    if (typeof state === 'string' || isKnown(seen, state)) continue;
    certificates.push({
      caCert: (state.trusted?.roots ?? []).map((root) => details(root, now)),
      certChain: state.certificates.flatMap(({ chain }) => chain.slice(0, 1).map((own) => details(own, now))),
    });
  }
  return { certificates };
}

function isKnown(seen: Map<unknown, Set<unknown>>, { certificates, trusted }: TlsState): boolean {
  const roots = seen.get(certificates[0]) ?? new Set();
  seen.set(certificates[0], roots);
  const known = roots.has(trusted);
  roots.add(trusted);
  return known;
}

function details(certificate: X509Certificate, now: number): CertificateDetailsJson {
  const { names, serial, notBefore, notAfter } = describeCertificate(certificate);
  const left = Math.floor((notAfter - Math.floor(now / 1000) * 1000) / DAY_MS);
  return {
    path: '<inline>',
    serialNumber: serial,
    subjectAltNames: [
      ...names.dns.map((dns) => ({ dns })),
      ...names.uri.map((uri) => ({ uri })),
      ...names.ip.map((ipAddress) => ({ ipAddress })),
    ],
    daysUntilExpiration: String(Math.max(0, left)),
    validFrom: whole(notBefore),
    expirationTime: whole(notAfter),
  };
}

const whole = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
