import type { ServerTLSSettings } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';

/** Envoy's cipher suites up to TLS 1.2, by their OpenSSL names. */
const CIPHERS = new Set([
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA'],
  ...['ECDHE-ECDSA-AES256-SHA', 'ECDHE-RSA-AES256-SHA', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES128-SHA', 'AES256-SHA'],
  ...['DES-CBC3-SHA', '', 'ALL'],
]);

type Field = keyof ServerTLSSettings;
const ALL_SOURCES: readonly Field[] = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'tlsCertificates',
  'credentialName',
  'credentialNames',
];

/** The rules of TLS that a server terminates or passes on. */
export function checkServerTls(tls: ServerTLSSettings, path: FieldPath, report: Report): void {
  checkVersions(tls, path, report);
  const isSet = (field: Field): boolean => {
    const value = tls[field];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '';
  };
  const mode = tls.mode ?? 'PASSTHROUGH';
  if (mode === 'ISTIO_MUTUAL') {
    for (const field of ALL_SOURCES) {
      if (isSet(field))
        report.error([...path, field], 'semantic/tls', `mode ISTIO_MUTUAL uses the mesh's certificates; \`${field}\` cannot be set`, {
          atKey: true,
        });
    }
    return;
  }
  if (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') {
    for (const field of [...ALL_SOURCES, 'caCrl', 'caCertCredentialName'] as const) {
      if (isSet(field))
        report.warning([...path, field], 'semantic/tls', `mode ${mode} does not end TLS: \`${field}\` is not used`, { atKey: true });
    }
  }
  checkSources(tls, mode, isSet, path, report);
}

function checkVersions({ minProtocolVersion, cipherSuites }: ServerTLSSettings, path: FieldPath, report: Report): void {
  if ((minProtocolVersion === 'TLSV1_0' || minProtocolVersion === 'TLSV1_1') && (cipherSuites ?? []).length === 0) {
    report.warning([...path, 'minProtocolVersion'], 'semantic/tls', `${minProtocolVersion} needs \`cipherSuites\` that it can use`);
  }
  const seen = new Set<string>();
  for (const [i, suite] of (cipherSuites ?? []).entries()) {
    const at = [...path, 'cipherSuites', i];
    if (!CIPHERS.has(suite) && /^[A-Za-z0-9]/.test(suite))
      report.warning(at, 'semantic/tls', `the cipher suite ${quote(suite)} is not known`);
    else if (seen.has(suite)) report.warning(at, 'semantic/tls', `the cipher suite ${quote(suite)} is there twice`);
    seen.add(suite);
  }
}

/** A terminating server needs exactly one source of certificates, complete. */
function checkSources(tls: ServerTLSSettings, mode: string, isSet: (field: Field) => boolean, path: FieldPath, report: Report): void {
  const sources = (['credentialName', 'credentialNames', 'tlsCertificates'] as const).filter(isSet);
  // The schema already refuses two of those three.
  if (isSet('serverCertificate') && isSet('privateKey') && sources.length > 0) {
    report.error([...path, sources[0]!], 'semantic/tls', `\`${sources[0]}\` cannot be together with \`serverCertificate\``, {
      atKey: true,
    });
  }
  const mutual = mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL';
  if (isSet('caCrl') && isSet('credentialName')) {
    report.error([...path, 'caCrl'], 'semantic/tls', '`caCrl` cannot be together with `credentialName`', { atKey: true });
  }
  if (isSet('caCrl') && mode === 'SIMPLE') {
    report.error([...path, 'caCrl'], 'semantic/tls', '`caCrl` needs a mode that asks clients for certificates', {
      atKey: true,
      hint: 'Use mode MUTUAL',
    });
  }
  if (!mutual && mode !== 'SIMPLE') return;
  if (isSet('credentialName') || isSet('credentialNames')) return;
  if (mutual && !isSet('caCertificates')) report.error(path, 'semantic/tls', `mode ${mode} needs \`caCertificates\``, { atKey: true });
  const certificates = tls.tlsCertificates ?? [];
  for (const field of ['serverCertificate', 'privateKey'] as const) {
    if (certificates.length === 0 && !isSet(field)) {
      report.error(path, 'semantic/tls', `mode ${mode} needs \`${field}\``, { atKey: true, hint: 'Or give it a `credentialName`' });
    }
    for (const [i, certificate] of certificates.entries()) {
      if (!certificate[field]) report.error([...path, 'tlsCertificates', i], 'semantic/tls', `the certificate needs \`${field}\``);
    }
  }
}
