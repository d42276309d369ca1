/** Objects that are read by name, because others name them: Secrets of gateways and rules, Istio’s MeshConfig. */
import type { DestinationRule, Gateway } from '../config/kinds/networking.ts';

type Item = { kind?: unknown; metadata?: { name?: string; namespace?: string; labels?: Record<string, string> }; spec?: unknown };

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
  for (const object of objects) {
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
  return [...found.keys()].sort().map((key) => found.get(key) as ObjectName);
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
