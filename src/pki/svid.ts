/** X.509-SVIDs: https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md. */
import type { Certificate } from './certificate.ts';
import { OID } from './oids.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';

/** The identity that a certificate is for; undefined when it is no SVID. */
export function identityOf(certificate: Certificate): SpiffeId | undefined {
  const uris = certificate.sans.filter((san) => san.type === 'uri');
  const parsed = uris.length === 1 ? parseSpiffeId(uris[0]!.value) : undefined;
  return parsed?.ok ? parsed.id : undefined;
}

/** Why a leaf is no SVID, in sentences without a full stop; empty when it is one. Sections 2, 4 and 5.2 of the standard. */
export function svidFaults({ sans, ca, keyUsage, extendedKeyUsage }: Certificate): string[] {
  const faults: string[] = [];
  const uris = sans.filter((san) => san.type === 'uri');
  if (uris.length !== 1)
    faults.push(uris.length === 0 ? 'it has no URI among its names' : `it has ${uris.length} URIs among its names; an SVID has one`);
  else {
    const parsed = parseSpiffeId(uris[0]!.value);
    if (!parsed.ok) faults.push(`${uris[0]!.value} is no SPIFFE ID: ${parsed.reason}`);
    else if (parsed.id.path === '') faults.push(`${uris[0]!.value} names a trust domain, not a workload`);
  }
  if (ca) faults.push('it is a certificate authority');
  if (keyUsage === undefined || !keyUsage.includes('digitalSignature')) faults.push('its key usage does not have digitalSignature');
  for (const usage of ['keyCertSign', 'cRLSign'] as const) if (keyUsage?.includes(usage)) faults.push(`its key usage has ${usage}`);
  if (extendedKeyUsage) {
    const missing = [OID.serverAuth, OID.clientAuth].filter((id) => !extendedKeyUsage.includes(id));
    if (missing.length > 0) faults.push('its extended key usage lacks serverAuth or clientAuth');
  }
  return faults;
}
