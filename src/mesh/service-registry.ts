import type { ServiceEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import { linkAliases } from './aliases.ts';
import { mergeClusters } from './cluster-services.ts';
import { equalExportTo } from './export-to.ts';
import { indexSelecting, type SelectingIndex } from './label-index.ts';
import { equalLabels } from './labels.ts';
import { clusterKey } from './locality.ts';
import { getOrMake } from './memo.ts';
import { type RegistryMemo, sameItems } from './model-memo.ts';
import { compareAge } from './order.ts';
import { problemAt, type Report } from './problem.ts';
import type { ResolvedMeshConfig, Service } from './types.ts';

/** All services of the mesh, found by what they are asked for by. */
export interface ServiceRegistry {
  /** Oldest first. */
  services: readonly Service[];
  /** Oldest first. */
  byHost: ReadonlyMap<string, readonly Service[]>;
  byResource: ReadonlyMap<Resource, readonly Service[]>;
  /** Kubernetes Services by `namespace/name`. */
  byKubernetesName: ReadonlyMap<string, readonly Service[]>;
  /** Kubernetes Services of a namespace of the own cluster that select nothing: their endpoints are written by hand. */
  withoutSelector(namespace: string): readonly Service[];
  /** ServiceEntries' services that have endpoints of their own. */
  withInlineEndpoints: readonly Service[];
  /** Services of a namespace by the labels that they select in a cluster (what `remoteId` gives; the own one without it). */
  selecting(namespace: string, cluster?: string): SelectingIndex<Service>;
  /**
   * What a service was put together from: itself, or the services whose ports were united. The first is the oldest. Also answers
   * for copies made by `derive`.
   */
  partsOf(service: Service): readonly Service[];
  /** The service of this registry that a copy was made from. */
  originalOf(service: Service): Service;
  /** A copy with other ports or aliases that endpoints and parts are still found for. Equal changes give the same object. */
  derive(service: Service, changes: Partial<Pick<Service, 'ports' | 'aliases'>>): Service;
  /** `service` with the ports of `other`, a service of the same host with other addresses. */
  unite(service: Service, other: Service): Service;
}

/** Istio: only services that agree in all of this are made one. Namespace and registry as well, which the callers compare. */
export function canMerge(a: Service, b: Service): boolean {
  return (
    a.namespace === b.namespace &&
    a.registry === b.registry &&
    a.resolution === b.resolution &&
    equalLabels(a.resource.metadata.labels, b.resource.metadata.labels) &&
    equalLabels(a.selector, b.selector) &&
    equalExportTo(a.exportTo, b.exportTo)
  );
}

/** The ports of all, the first of each number. Ports of other resources than the first service's say which. */
function unitedPorts(services: readonly Service[]): Service['ports'] {
  const [first] = services as [Service];
  const byNumber = new Map(first.ports.map((port) => [port.number, port]));
  for (const service of services.slice(1)) {
    for (const port of service.ports)
      if (!byNumber.has(port.number)) byNumber.set(port.number, { ...port, resource: port.resource ?? service.resource });
  }
  return byNumber.size === first.ports.length ? first.ports : [...byNumber.values()];
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The service that several (the first is the oldest) are together. */
function unitedService(parts: readonly Service[], make: () => Service, memo: RegistryMemo): Service {
  const known = getOrMake(memo.united, parts[0]!, () => []);
  let united = known.find((u) => sameItems(memo.parts.get(u)!, parts));
  if (united === undefined) {
    united = make();
    memo.parts.set(united, parts);
    known.push(united);
  }
  return united;
}

/** Services of one namespace, host and address that agree become one; the younger of those that do not stay beside it. */
function mergeServices(services: readonly Service[], memo: RegistryMemo): Service[] {
  const external = groupBy(
    services.filter((s) => s.registry === 'External'),
    (s) => `${s.namespace}\n${s.host}\n${s.addresses[0] ?? ''}`,
  );
  const replaced = new Map<Service, Service | undefined>();
  for (const group of external.values()) {
    if (group.length === 1) continue;
    const rest = new Set(group);
    for (const lead of group) {
      if (!rest.has(lead)) continue;
      const merged = group.filter((other) => rest.has(other) && canMerge(lead, other));
      for (const other of merged) rest.delete(other);
      if (merged.length === 1) continue;
      const united = unitedService(merged, () => ({ ...lead, ports: unitedPorts(merged) }), memo);
      for (const other of merged) replaced.set(other, other === lead ? united : undefined);
    }
  }
  if (replaced.size === 0) return [...services];
  return services.map((s) => (replaced.has(s) ? replaced.get(s) : s)).filter((s) => s !== undefined);
}

/** In one namespace a host belongs to one resource, or to several that agree. */
function reportDuplicates(byHost: ReadonlyMap<string, readonly Service[]>, report: Report): void {
  for (const [host, services] of byHost) {
    if (services.length === 1) continue;
    for (const group of groupBy(services, (s) => s.namespace).values()) {
      const lead = group.find((s) => s.registry === 'Kubernetes') ?? (group[0] as Service);
      const told = new Set<Resource>([lead.resource]);
      for (const other of group) {
        if (told.has(other.resource) || canMerge(lead, other)) continue;
        told.add(other.resource);
        const { kind, metadata } = lead.resource;
        report(
          problemAt(other.resource, other.registry === 'External' ? ['spec', 'hosts'] : ['metadata', 'name'], {
            severity: 'warning',
            rule: 'service/duplicate-host',
            message: `host ${host} is declared by ${kind} ${metadata.namespace}/${metadata.name} already, which is used instead`,
            hint: 'give ServiceEntries of one host the same resolution, labels, workloadSelector and exportTo, and their ports are united',
          }),
        );
      }
    }
  }
}

/** Sorts, merges, links and indexes services. Unchanged ones are the same objects as before when `memo` is. */
export function buildServiceRegistry(
  given: readonly Service[],
  { config, memo }: { config: ResolvedMeshConfig; memo: RegistryMemo },
  report: Report,
): ServiceRegistry {
  const { parts, originals, derived } = memo;
  const linked = linkAliases([...given].sort(compareAge), memo.linked);
  const services = mergeServices(mergeClusters(linked, config, memo, report), memo);
  const byHost = groupBy(services, (s) => s.host);
  reportDuplicates(byHost, report);
  // What is made of several clusters selects in each of them by its own selector.
  const selectors = services.flatMap((service) => {
    const own = service.registry === 'Kubernetes' ? (parts.get(service) ?? [service]) : [service];
    return own.flatMap(({ selector, resource }) => (selector === undefined ? [] : [{ service, selector, cluster: remoteId(resource) }]));
  });
  const byNamespace = groupBy(selectors, ({ service, cluster }) => clusterKey(cluster, service.namespace));
  const kubernetes = services.filter((s) => s.registry === 'Kubernetes');
  const selectorless = groupBy(
    kubernetes.filter((s) => s.selector === undefined && s.resolution !== 'alias' && remoteId(s.resource) === ''),
    (s) => s.namespace,
  );
  const hasEndpoints = (service: Service): boolean =>
    registry.partsOf(service).some((part) => ((part.resource.spec as ServiceEntry).endpoints?.length ?? 0) > 0);
  let inline: readonly Service[] | undefined;
  const selecting = new Map<string, SelectingIndex<Service>>();
  const byResource = new Map<Resource, Service[]>();
  const registry: ServiceRegistry = {
    services,
    byHost,
    byResource,
    byKubernetesName: groupBy(kubernetes, (s) => `${s.namespace}/${s.name}`),
    withoutSelector: (namespace) => selectorless.get(namespace) ?? [],
    get withInlineEndpoints() {
      inline ??= services.filter((s) => s.registry === 'External' && hasEndpoints(s));
      return inline;
    },
    selecting(namespace, cluster = '') {
      const key = clusterKey(cluster, namespace);
      return getOrMake(selecting, key, () => {
        const index = indexSelecting(byNamespace.get(key) ?? [], ({ selector }) => selector);
        return { selecting: (labels) => index.selecting(labels).map(({ service }) => service) };
      });
    },
    originalOf: (service) => originals.get(service) ?? service,
    partsOf(service) {
      const original = originals.get(service) ?? service;
      return parts.get(service) ?? parts.get(original) ?? [original];
    },
    unite(service, other) {
      const all = [...new Set([...registry.partsOf(service), ...registry.partsOf(other)])];
      const ports = unitedPorts([service, other]);
      // Copies of one service with other ports have the same parts.
      const key = `unite ${ports.map((p) => `${p.number} ${p.resource?.metadata.name ?? ''}`).join()}`;
      const copies = getOrMake(derived, service, () => new Map<string, Service>());
      let united = copies.get(key);
      if (united === undefined || !sameItems(parts.get(united)!, all)) {
        united = { ...service, ports };
        parts.set(united, all);
        copies.set(key, united);
      }
      return united;
    },
    derive(service, changes) {
      const original = originals.get(service) ?? service;
      const { ports = service.ports, aliases = service.aliases } = changes;
      if (ports.length === original.ports.length && aliases.length === original.aliases.length) return original;
      const key = `${ports.map((p) => p.number).join()} ${aliases.map((a) => a.host).join()}`;
      const copies = getOrMake(derived, original, () => new Map<string, Service>());
      let copy = copies.get(key);
      if (copy === undefined) {
        copy = { ...original, ports, aliases };
        copies.set(key, copy);
        originals.set(copy, original);
      }
      return copy;
    },
  };
  for (const service of services) {
    for (const part of registry.partsOf(service)) {
      const list = byResource.get(part.resource);
      if (list) list.push(service);
      else byResource.set(part.resource, [service]);
    }
  }
  return registry;
}
