import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { ServiceEntry } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import { exportScopes, fullHost } from './hosts.ts';

/** What a host stands for. */
export interface HostEntry {
  readonly resource: Resource;
  /** Port numbers in the order they are declared, of whatever protocol. */
  readonly ports: readonly number[];
  /** ServiceEntries: the labels of the workloads they select. */
  readonly workloadLabels: Labels;
}

/** All hosts of the configuration, by who can see them. */
export interface HostRegistry {
  /** The entry that `host`, written in an object of `namespace` with this `exportTo`, stands for. */
  lookup(namespace: string, exportTo: readonly string[] | undefined, host: string): HostEntry | undefined;
}

const EXPORT_TO = 'networking.istio.io/exportTo';

/** Indexes Services and the hosts of ServiceEntries; a Service goes before a ServiceEntry for the same name. */
export function hostRegistry(
  services: readonly Resource<KubernetesService>[],
  serviceEntries: readonly Resource<ServiceEntry>[],
): HostRegistry {
  const exact = new Map<string, HostEntry>();
  /** By scope and what follows the `*`. */
  const wildcards = new Map<string, HostEntry>();
  for (const resource of serviceEntries) {
    const { hosts, ports, exportTo, workloadSelector } = resource.spec;
    const { namespace } = resource.metadata;
    const entry: HostEntry = { resource, ports: (ports ?? []).map((port) => port.number), workloadLabels: workloadSelector?.labels ?? {} };
    for (const scope of exportScopes(exportTo, namespace)) {
      for (const host of hosts) {
        exact.set(`${scope}|${fullHost(namespace, host)}`, entry);
        if (host.startsWith('*')) wildcards.set(`${scope}|${host.slice(1)}`, entry);
      }
    }
  }
  for (const resource of services) {
    const { name, namespace, annotations } = resource.metadata;
    const written = annotations[EXPORT_TO];
    const exportTo =
      typeof written === 'string'
        ? written
            .split(',')
            .map((entry) => entry.trim())
            .filter((entry) => entry !== '')
        : [];
    const entry: HostEntry = { resource, ports: (resource.spec.ports ?? []).map((port) => port.port), workloadLabels: {} };
    for (const scope of exportScopes(exportTo, namespace)) exact.set(`${scope}|${name}.${namespace}.svc.cluster.local`, entry);
  }
  const byWildcard = (scope: string, name: string): HostEntry | undefined => {
    for (let at = 0; at <= name.length; at++) {
      const entry = wildcards.get(`${scope}|${name.slice(at)}`);
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  return {
    lookup(namespace, exportTo, host) {
      const name = fullHost(namespace, host);
      // Istio looks into the namespaces the asking object is exported to; what its own namespace sees is there as well.
      for (const scope of ['*', namespace, ...exportScopes(exportTo, namespace)]) {
        const entry = exact.get(`${scope}|${name}`);
        if (entry !== undefined) return entry;
      }
      if (wildcards.size === 0) return undefined;
      const rest = host.startsWith('*') ? host.slice(1) : name;
      return byWildcard('*', rest) ?? byWildcard(namespace, rest);
    },
  };
}
