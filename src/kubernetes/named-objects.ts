/** Objects that are read by name, because others name them: Secrets of gateways and rules, Istio’s MeshConfig. */
import type { KubernetesGateway, ReferenceGrant } from '../config/kinds/gateway-api.ts';
import type { DestinationRule, Gateway } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { isGranted } from '../mesh/gateway-api/grants.ts';
import { GATEWAY_API } from '../mesh/gateway-api/objects.ts';

type Item = {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: string; namespace?: string; labels?: Record<string, string> };
  spec?: unknown;
};

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** What a Secret's name in `credentialName` may begin with. Others name no Secret. */
const PREFIX = 'kubernetes://';
/** A Secret may be two: certificate and key in one, the authority in the other. */
const AUTHORITY = '-cacert';

/**
 * Secrets that Gateways and DestinationRules name, sorted. A Gateway's are in the namespaces of its workloads, and a rule's in those of the
 * workloads it selects, else in its own.
 */
export function namedSecrets(objects: Iterable<Item>): ObjectName[] {
  const pods: Item[] = [];
  const askers: Item[] = [];
  const gateways: Item[] = [];
  const grants: Item[] = [];
  for (const object of objects) {
    const ofGatewayApi = String(object.apiVersion).startsWith(`${GATEWAY_API}/`);
    if (ofGatewayApi && object.kind === 'Gateway') gateways.push(object);
    else if (ofGatewayApi && object.kind === 'ReferenceGrant') grants.push(object);
    if (ofGatewayApi) continue;
    if (object.kind === 'Pod' || object.kind === 'WorkloadEntry') pods.push(object);
    else if (object.kind === 'Gateway' || object.kind === 'DestinationRule') askers.push(object);
  }
  const found = new Map<string, ObjectName>();
  for (const { kind, metadata = {}, spec } of askers) {
    const names = kind === 'Gateway' ? namesOfGateway(spec as Gateway) : namesOfRule(spec as DestinationRule);
    if (names.length === 0) continue;
    const selector = kind === 'Gateway' ? (spec as Gateway).selector : (spec as DestinationRule).workloadSelector?.matchLabels;
    const around = new Set([metadata.namespace ?? 'default', ...namespacesOf(pods, selector)]);
    for (const written of names) {
      const slash = written.indexOf('/');
      const name = written.slice(slash + 1);
      for (const namespace of slash === -1 ? around : [written.slice(0, slash)])
        for (const one of [name, name + AUTHORITY]) found.set(`${namespace}/${one}`, { namespace, name: one });
    }
  }
  for (const gateway of gateways) for (const one of certificatesOf(gateway, grants)) found.set(`${one.namespace}/${one.name}`, one);
  return [...found.keys()].sort().map((key) => found.get(key) as ObjectName);
}

/** Certificates of a Gateway of the Gateway API: its own namespace's, and those that a ReferenceGrant lets it use. */
function certificatesOf({ metadata = {}, spec }: Item, grants: readonly Item[]): ObjectName[] {
  const own = metadata.namespace ?? 'default';
  const from = { group: GATEWAY_API, kind: 'Gateway', namespace: own };
  return ((spec as KubernetesGateway | undefined)?.listeners ?? [])
    .flatMap(({ tls }) => tls?.certificateRefs ?? [])
    .filter(({ group = '', kind = 'Secret' }) => group === '' && kind === 'Secret')
    .map(({ name, namespace = own }) => ({ name, namespace }))
    .filter((to) => isGranted(grants as readonly Resource<ReferenceGrant>[], { from, to: { group: '', kind: 'Secret', ...to } }));
}

function secretName(written: string | undefined): string[] {
  if (!written) return [];
  const name = written.startsWith(PREFIX) ? written.slice(PREFIX.length) : written;
  return name.includes('://') || name === '' ? [] : [name];
}

function namesOfGateway(spec: Gateway | undefined): string[] {
  return (spec?.servers ?? []).flatMap(({ tls }) => [
    ...secretName(tls?.credentialName),
    ...(tls?.credentialNames ?? []).flatMap((name) => secretName(name)),
  ]);
}

function namesOfRule(spec: DestinationRule | undefined): string[] {
  const policies = [spec?.trafficPolicy, ...(spec?.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  return policies.flatMap((policy) => [
    ...secretName(policy?.tls?.credentialName),
    ...(policy?.portLevelSettings ?? []).flatMap(({ tls }) => secretName(tls?.credentialName)),
  ]);
}

function namespacesOf(pods: readonly Item[], selector: Record<string, string> | undefined): string[] {
  const wanted = Object.entries(selector ?? {});
  if (wanted.length === 0) return [];
  return pods.flatMap(({ kind, metadata = {}, spec }) => {
    const labels =
      kind === 'Pod' ? metadata.labels : { ...metadata.labels, ...(spec as { labels?: Record<string, string> } | undefined)?.labels };
    return wanted.every(([key, value]) => labels?.[key] === value) ? [metadata.namespace ?? 'default'] : [];
  });
}
