import { workloadIdentity } from '../pki/spiffe-id.ts';
import type { ClientIdentity } from './types.ts';

export const IDENTITY_HINT = 'Write spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT, NAMESPACE/ACCOUNT or a DNS name.';

/** The identity that a text means: `spiffe://…`, `NAMESPACE/ACCOUNT` of a trust domain, or a DNS name; undefined for others. */
export function clientIdentity(text: string, trustDomain = 'cluster.local'): ClientIdentity | undefined {
  if (/^spiffe:\/\/[^/]+\/.+/.test(text)) return { uris: [text] };
  const [, namespace, account] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (namespace !== undefined && account !== undefined) return { uris: [workloadIdentity(trustDomain, namespace, account)] };
  return /^[A-Za-z0-9*-]+(?:\.[A-Za-z0-9-]+)*$/.test(text) ? { dnsNames: [text] } : undefined;
}
