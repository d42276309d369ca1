/** `proxy-config secret`: istioctl's table of a proxy's certificates. */
import type { SecretsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import type { DataSourceJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { type Certificate, readCertificates } from '../../pki/certificate.ts';
import { parseSpiffeId } from '../../pki/spiffe-id.ts';
import type { Table } from '../table.ts';

/** A certificate of a secret; of a chain the leaf, of trusted roots each. */
export interface SecretRow {
  name: string;
  type: 'Cert Chain' | 'CA' | '';
  status: 'ACTIVE' | 'WARMING';
  /** Within its validity now. */
  valid: boolean;
  /** Lower-case hex, 32 digits at least; undefined for what cannot be read or is not there. */
  serial: string | undefined;
  /** RFC 3339, whole seconds, UTC. */
  notAfter: string | undefined;
  notBefore: string | undefined;
  trustDomain: string | undefined;
}

export function secretRows(dump: SecretsConfigDumpJson, now: Date): SecretRow[] {
  const of = (list: SecretsConfigDumpJson['dynamicActiveSecrets'], status: SecretRow['status']): SecretRow[] =>
    (list ?? []).flatMap(({ name = '', secret }) => rowsOf(name, status, (secret ?? {}) as SecretJson, now));
  return [...of(dump.dynamicActiveSecrets, 'ACTIVE'), ...of(dump.staticSecrets, 'ACTIVE'), ...of(dump.dynamicWarmingSecrets, 'WARMING')];
}

function rowsOf(name: string, status: SecretRow['status'], { tlsCertificate, validationContext }: SecretJson, now: Date): SecretRow[] {
  const type = tlsCertificate ? 'Cert Chain' : validationContext ? 'CA' : '';
  const found = certificatesIn(tlsCertificate ? tlsCertificate.certificateChain : validationContext?.trustedCa);
  const shown = tlsCertificate ? found.slice(0, 1) : found;
  const none = {
    name,
    type,
    status,
    valid: false,
    serial: undefined,
    notAfter: undefined,
    notBefore: undefined,
    trustDomain: undefined,
  } as const;
  if (shown.length === 0) return [none];
  return shown.map((certificate) => ({
    ...none,
    valid: certificate.notBefore <= now && now < certificate.notAfter,
    serial: certificate.serial.padStart(32, '0'),
    notAfter: seconds(certificate.notAfter),
    notBefore: seconds(certificate.notBefore),
    trustDomain: trustDomainOf(certificate),
  }));
}

const seconds = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');

function trustDomainOf({ sans }: Certificate): string | undefined {
  for (const { type, value } of sans) {
    const parsed = type === 'uri' ? parseSpiffeId(value) : undefined;
    if (parsed?.ok) return parsed.id.trustDomain;
  }
  return undefined;
}

/** Files are the proxy's; what is redacted or broken has no certificates. */
function certificatesIn(source: DataSourceJson | undefined): Certificate[] {
  const { inlineString, inlineBytes } = source ?? {};
  const text = inlineString ?? (inlineBytes === undefined ? '' : Buffer.from(inlineBytes, 'base64').toString('utf8'));
  try {
    return readCertificates(text);
  } catch {
    return [];
  }
}

/** The column TRUST DOMAIN is there when it is known for all. */
export function secretTable(rows: readonly SecretRow[]): Table {
  const domains = rows.length > 0 && rows.every(({ trustDomain }) => trustDomain !== undefined);
  return {
    columns: [
      'RESOURCE NAME',
      'TYPE',
      'STATUS',
      'VALID CERT',
      'SERIAL NUMBER',
      'NOT AFTER',
      'NOT BEFORE',
      ...(domains ? ['TRUST DOMAIN'] : []),
    ],
    rows: rows.map((r) => [
      r.name,
      r.type,
      r.status,
      String(r.valid),
      r.serial ?? '',
      r.notAfter ?? '',
      r.notBefore ?? '',
      ...(domains ? [r.trustDomain ?? ''] : []),
    ]),
  };
}

export const NO_SECRETS = 'No active or warming secrets found.';
