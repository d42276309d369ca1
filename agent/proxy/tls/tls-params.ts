import type { SecureContextOptions, SecureVersion } from 'node:tls';
import type { TlsParametersJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { tls } from './certificate-material.ts';

const VERSIONS: Readonly<Record<string, SecureVersion>> = { TLSv1_0: 'TLSv1', TLSv1_1: 'TLSv1.1', TLSv1_2: 'TLSv1.2', TLSv1_3: 'TLSv1.3' };
/** Envoy's own, for TLS 1.2; those of 1.3 are fixed. */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];
/** Envoy offers the first two; OpenSSL wants the curve of each certificate among them too. */
const CURVES = ['X25519', 'P-256', 'P-384', 'P-521'];

/** Versions, ciphers, curves and signatures with Envoy's defaults: TLS 1.2 is the least, and for clients the most unless they say so. */
export function compileTlsParams(
  json: TlsParametersJson | undefined,
  side: 'server' | 'client',
  path: string,
  problems: ProblemList,
): SecureContextOptions {
  const minVersion = VERSIONS[json?.tlsMinimumProtocolVersion ?? ''] ?? 'TLSv1.2';
  const maxVersion = VERSIONS[json?.tlsMaximumProtocolVersion ?? ''] ?? (side === 'server' ? 'TLSv1.3' : 'TLSv1.2');
  const named = (json?.cipherSuites ?? []).flatMap((group) => group.split(/[:[\]|]/).filter(Boolean));
  const ciphers = named.length === 0 ? [...CIPHERS] : named;
  // OpenSSL lets no signature of TLS 1.0 and 1.1 pass at its usual level.
  if (minVersion === 'TLSv1' || minVersion === 'TLSv1.1') ciphers.push('@SECLEVEL=0');
  const curves = json?.ecdhCurves ?? [];
  const signatures = json?.signatureAlgorithms ?? [];
  const options: SecureContextOptions = {
    minVersion,
    // Envoy's own default may be below what is the least here.
    maxVersion: side === 'client' && minVersion === 'TLSv1.3' ? 'TLSv1.3' : maxVersion,
    ciphers: ciphers.join(':'),
    ecdhCurve: (curves.length === 0 ? CURVES : curves).join(':'),
    ...(signatures.length > 0 && { sigalgs: signatures.join(':') }),
  };
  const versions = Object.values(VERSIONS);
  if (versions.indexOf(options.minVersion!) > versions.indexOf(options.maxVersion!)) {
    problems.invalid(`${path}.tlsMinimumProtocolVersion`, 'must not be above tlsMaximumProtocolVersion');
    return options;
  }
  for (const [field, part] of [
    ['cipherSuites', { ciphers: options.ciphers }],
    ['ecdhCurves', { ecdhCurve: options.ecdhCurve }],
    ['signatureAlgorithms', { sigalgs: options.sigalgs }],
  ] as const) {
    if (json?.[field] === undefined) continue;
    try {
      tls().createSecureContext(Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)));
    } catch {
      problems.invalid(`${path}.${field}`, `OpenSSL knows none, or not all, of ${json[field].join(', ')}`);
    }
  }
  return options;
}
