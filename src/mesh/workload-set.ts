import type { PodSpec } from '../config/kinds/kubernetes.ts';
import type { WorkloadEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { indexLabelled, type LabelledIndex } from './label-index.ts';
import type { Workload } from './types.ts';
import { entryWorkload, type Nodes, podWorkload } from './workloads.ts';

/** Pods and WorkloadEntries, indexed by namespace when asked. */
export interface WorkloadSet {
  /** By namespace, pods before entries, then by name. */
  all: readonly Workload[];
  /** Entries of a namespace by their labels. */
  entries(namespace: string): LabelledIndex<Workload>;
  /** Pods of a namespace by their labels. */
  pods(namespace: string): LabelledIndex<Workload>;
  pod(namespace: string, name: string): Workload | undefined;
  /** A pod by address. */
  podAt(address: string): Workload | undefined;
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
  let byAddress: Map<string, Workload> | undefined;
  const group = (namespace: string): Group => groups.get(namespace) ?? nothing;
  const addresses = (): Map<string, Workload> => {
    if (byAddress === undefined) {
      byAddress = new Map();
      for (const workload of set.all)
        for (const address of workload.addresses) if (!byAddress.has(address)) byAddress.set(address, workload);
    }
    return byAddress;
  };
  const podNamed = (namespace: string, name: string): Workload | undefined => {
    const found = group(namespace);
    found.podsByName ??= new Map(found.pods.map((w) => [w.name, w]));
    return found.podsByName.get(name);
  };
  const set: WorkloadSet = {
    get all() {
      all ??= [...groups.keys()].sort().flatMap((namespace) => {
        const { pods, entries } = group(namespace);
        return [...pods, ...entries];
      });
      return all;
    },
    entries(namespace) {
      const found = group(namespace);
      found.entryIndex ??= indexLabelled(found.entries, (w) => w.labels);
      return found.entryIndex;
    },
    pods(namespace) {
      const found = group(namespace);
      found.podIndex ??= indexLabelled(found.pods, (w) => w.labels);
      return found.podIndex;
    },
    pod: podNamed,
    podAt(address) {
      const found = addresses().get(address);
      return found?.kind === 'Pod' ? found : undefined;
    },
    hasAddress: (address) => addresses().has(address),
    of(resource) {
      const { namespace, name } = resource.metadata;
      return resource.kind === 'Pod' ? podNamed(namespace, name) : group(namespace).entries.find((w) => w.name === name);
    },
    replace(removed, added) {
      const gone = new Set(removed);
      const byNamespace = new Map<string, Workload[]>();
      for (const resource of removed) byNamespace.set(resource.metadata.namespace, []);
      for (const resource of added) {
        const workload = workloadOf(resource, nodes);
        const list = byNamespace.get(workload.namespace);
        if (list) list.push(workload);
        else byNamespace.set(workload.namespace, [workload]);
      }
      const next = new Map(groups);
      for (const [namespace, list] of byNamespace) {
        const old = group(namespace);
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
        next.set(namespace, made);
      }
      return fromGroups(next, nodes);
    },
  };
  return set;
}
