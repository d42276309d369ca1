import type { PodSpec } from '../config/kinds/kubernetes.ts';
import type { WorkloadEntry } from '../config/kinds/networking.ts';
import { type Resource, remoteId } from '../config/resource.ts';
import { indexLabelled, type LabelledIndex } from './label-index.ts';
import { clusterKey } from './locality.ts';
import { getOrMake } from './memo.ts';
import type { Workload } from './types.ts';
import { entryWorkload, type Nodes, podWorkload } from './workloads.ts';

/** Pods and WorkloadEntries, indexed by namespace when asked. `cluster` is what `remoteId` gives; the own one without it. */
export interface WorkloadSet {
  /** Those of the own cluster: by namespace, pods before entries, then by name. */
  all: readonly Workload[];
  /** Those of all clusters, in no particular order. */
  everywhere(): Iterable<Workload>;
  /** Entries of a namespace by their labels. */
  entries(namespace: string, cluster?: string): LabelledIndex<Workload>;
  /** Pods of a namespace by their labels. */
  pods(namespace: string, cluster?: string): LabelledIndex<Workload>;
  pod(namespace: string, name: string, cluster?: string): Workload | undefined;
  /** A pod by address. */
  podAt(address: string, cluster?: string): Workload | undefined;
  /** Of a workload of the own cluster. */
  hasAddress(address: string): boolean;
  of(resource: Resource): Workload | undefined;
  /** The set with some resources taken away and others added; what is shared with this set is not computed again. */
  replace(removed: readonly Resource[], added: readonly Resource[]): WorkloadSet;
}

interface Group {
  pods: readonly Workload[];
  entries: readonly Workload[];
  podIndex?: LabelledIndex<Workload>;
  entryIndex?: LabelledIndex<Workload>;
  podsByName?: ReadonlyMap<string, Workload>;
}

const nothing: Group = {
  pods: [],
  entries: [],
  podIndex: indexLabelled<Workload>([], (w) => w.labels),
  entryIndex: indexLabelled<Workload>([], (w) => w.labels),
};

const byName = (a: Workload, b: Workload): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** `list` (sorted by name) without the workloads of `removed`, and with `added`. */
function patched(list: readonly Workload[], removed: ReadonlySet<Resource>, added: readonly Workload[]): readonly Workload[] {
  const kept = list.filter((w) => !removed.has(w.resource as Resource));
  if (kept.length === list.length && added.length === 0) return list;
  return [...kept, ...added].sort(byName);
}

/** True for the kinds that are workloads. */
export function isWorkload(resource: Resource): boolean {
  return (resource.kind === 'Pod' && resource.group === '') || resource.kind === 'WorkloadEntry';
}

/** The workload that a resource describes. */
export function workloadOf(resource: Resource, nodes: Nodes): Workload {
  return resource.kind === 'Pod' ? podWorkload(resource as Resource<PodSpec>, nodes) : entryWorkload(resource as Resource<WorkloadEntry>);
}

/** Makes the set of `workloads`. */
export function buildWorkloadSet(resources: readonly Resource[], nodes: Nodes): WorkloadSet {
  return fromGroups(new Map(), nodes).replace([], resources);
}

function fromGroups(groups: ReadonlyMap<string, Group>, nodes: Nodes): WorkloadSet {
  let all: readonly Workload[] | undefined;
  const byAddress = new Map<string, Map<string, Workload>>();
  const group = (namespace: string, cluster: string): Group => groups.get(clusterKey(cluster, namespace)) ?? nothing;
  const isOf = (cluster: string) => (key: string) => (cluster === '' ? !key.includes('\n') : key.startsWith(clusterKey(cluster, '')));
  const allOf = (cluster: string): readonly Workload[] =>
    [...groups.keys()]
      .filter(isOf(cluster))
      .sort()
      .flatMap((key) => {
        const { pods, entries } = groups.get(key)!;
        return [...pods, ...entries];
      });
  const addresses = (cluster: string): Map<string, Workload> =>
    getOrMake(byAddress, cluster, () => {
      const found = new Map<string, Workload>();
      for (const workload of cluster === '' ? set.all : allOf(cluster))
        for (const address of workload.addresses) if (!found.has(address)) found.set(address, workload);
      return found;
    });
  const podNamed = (namespace: string, name: string, cluster = ''): Workload | undefined => {
    const found = group(namespace, cluster);
    found.podsByName ??= new Map(found.pods.map((w) => [w.name, w]));
    return found.podsByName.get(name);
  };
  const set: WorkloadSet = {
    get all() {
      all ??= allOf('');
      return all;
    },
    *everywhere() {
      for (const { pods, entries } of groups.values()) {
        yield* pods;
        yield* entries;
      }
    },
    entries(namespace, cluster = '') {
      const found = group(namespace, cluster);
      found.entryIndex ??= indexLabelled(found.entries, (w) => w.labels);
      return found.entryIndex;
    },
    pods(namespace, cluster = '') {
      const found = group(namespace, cluster);
      found.podIndex ??= indexLabelled(found.pods, (w) => w.labels);
      return found.podIndex;
    },
    pod: podNamed,
    podAt(address, cluster = '') {
      const found = addresses(cluster).get(address);
      return found?.kind === 'Pod' ? found : undefined;
    },
    hasAddress: (address) => addresses('').has(address),
    of(resource) {
      const { namespace, name } = resource.metadata;
      const cluster = remoteId(resource);
      if (resource.kind === 'Pod') return podNamed(namespace, name, cluster);
      return group(namespace, cluster).entries.find((w) => w.name === name);
    },
    replace(removed, added) {
      const gone = new Set(removed);
      const byNamespace = new Map<string, Workload[]>();
      const keyOf = (resource: Resource): string => clusterKey(remoteId(resource), resource.metadata.namespace);
      for (const resource of removed) byNamespace.set(keyOf(resource), []);
      for (const resource of added) getOrMake(byNamespace, keyOf(resource), () => []).push(workloadOf(resource, nodes));
      const next = new Map(groups);
      for (const [key, list] of byNamespace) {
        const old = groups.get(key) ?? nothing;
        const pods = patched(
          old.pods,
          gone,
          list.filter((w) => w.kind === 'Pod'),
        );
        const entries = patched(
          old.entries,
          gone,
          list.filter((w) => w.kind !== 'Pod'),
        );
        const made: Group = { pods, entries };
        // A change of pods leaves the index of entries as it is, and the reverse.
        if (entries === old.entries && old.entryIndex) made.entryIndex = old.entryIndex;
        if (pods === old.pods && old.podIndex) made.podIndex = old.podIndex;
        next.set(key, made);
      }
      return fromGroups(next, nodes);
    },
  };
  return set;
}
