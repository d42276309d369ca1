import { workloadIdentity } from '../pki/spiffe-id.ts';
import { labelOf } from './labels.ts';
import { sameItems } from './model-memo.ts';
import type { Endpoint, Mesh, ProxyNode, ResolvedMeshConfig, Service, Workload } from './types.ts';

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

/** The identity that an endpoint's proxy has; undefined for one without a service account. */
export function endpointIdentity(
  { serviceAccount, workload }: Endpoint,
  config: Pick<ResolvedMeshConfig, 'trustDomain'>,
): string | undefined {
  return serviceAccount === '' ? undefined : workloadIdentity(config.trustDomain, workload.namespace, serviceAccount);
}

const withTrustDomain = /^spiffe:\/\/[^/]+(?=\/)/;

/** What the names of a service were made from, and the names. Many proxies, ports and subsets ask for the same. */
const known = new WeakMap<Service, { config: ResolvedMeshConfig; endpoints: readonly (readonly Endpoint[])[]; names: readonly string[] }>();

/**
 * The names of which a server of a service must prove one: the identities of its endpoints, and those that the service names itself
 * (`subjectAltNames` of a ServiceEntry, account annotations of a Service), each for all aliases of the trust domain too. Sorted; empty
 * when nothing is known.
 */
export function serviceIdentities(mesh: Pick<Mesh, 'config' | 'endpoints'>, service: Service): readonly string[] {
  const { config } = mesh;
  const endpoints = service.ports.map((port) => mesh.endpoints(service, port));
  const last = known.get(service);
  if (last !== undefined && last.config === config && sameItems(last.endpoints, endpoints)) return last.names;
  const names = new Set(service.subjectAltNames);
  for (const list of endpoints) {
    for (const endpoint of list) {
      const identity = endpointIdentity(endpoint, config);
      if (identity !== undefined) names.add(identity);
    }
  }
  for (const name of [...names]) {
    if (!withTrustDomain.test(name)) continue;
    for (const alias of config.trustDomainAliases ?? []) names.add(name.replace(withTrustDomain, `spiffe://${alias}`));
  }
  const sorted = [...names].sort();
  known.set(service, { config, endpoints, names: sorted });
  return sorted;
}

/** The trust domains whose identities belong to the mesh: its own, the aliases, and those that further roots are for. Each once. */
export function trustDomains({ trustDomain, trustDomainAliases = [], caCertificates = [] }: ResolvedMeshConfig): string[] {
  const all = [trustDomain, ...trustDomainAliases, ...caCertificates.flatMap((c) => c.trustDomains ?? [])];
  return [...new Set(all.map((d) => d.replaceAll('@', '.')))];
}
