import { workloadIdentity } from '../pki/spiffe-id.ts';
import { labelOf } from './labels.ts';
import type { ProxyNode, ResolvedMeshConfig, Workload } from './types.ts';

/** Further DNS names of a workload's certificate, separated by commas. */
export const DNS_NAMES = 'fairlead.dev/dns-names';

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; without a service account, `default` (Istio). */
export function identityOf(
  { namespace, serviceAccount }: Pick<Workload | ProxyNode, 'namespace' | 'serviceAccount'>,
  { trustDomain }: Pick<ResolvedMeshConfig, 'trustDomain'>,
): string {
  return workloadIdentity(trustDomain, namespace, serviceAccount || 'default');
}

/** The names that the annotation `fairlead.dev/dns-names` gives a workload's certificate, lower case, in its order, each once. */
export function dnsNamesOf(of: Workload | ProxyNode): string[] {
  const { annotations } = 'workload' in of ? of.workload : of;
  const names = (labelOf(annotations, DNS_NAMES) ?? '').split(',').map((n) => n.trim().toLowerCase());
  return [...new Set(names.filter((n) => n !== ''))];
}
