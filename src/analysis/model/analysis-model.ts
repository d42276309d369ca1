import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { MeshConfig } from '../../config/kinds/mesh-config.ts';
import type { ServiceEntry, WorkloadEntry } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import { findGiven, type Given } from './given.ts';
import { type HostRegistry, hostRegistry } from './host-registry.ts';
import { type LabelSearch, labelSearch, selectorSearch } from './selector.ts';
import { isSystemNamespace } from './system-namespaces.ts';
import { collectWorkloads, type Workload } from './workloads.ts';

/** What analyzers look at: the resources by kind, and indexes over them that are made once, when first asked for. */
export interface AnalysisModel {
  /** Objects of a kind, by its name; those of the Gateway API by `gateway.networking.k8s.io/Gateway`. System namespaces are left out. */
  of<Spec = unknown>(kind: string): readonly Resource<Spec>[];
  /** Objects of all kinds, less those of system namespaces, in the order they were given. */
  readonly all: readonly Resource[];
  /** What was given, system namespaces included: what is there is not judged, but others refer to it. */
  readonly whole: readonly Resource[];
  /** One object by kind, namespace and name. */
  find(kind: string, namespace: string, name: string): Resource | undefined;
  readonly meshConfig: MeshConfig;
  readonly rootNamespace: string;
  /** The present, for the validity of certificates. Milliseconds since 1970. */
  readonly now: number;
  /** Whether the proxies are Fairlead's own: what these do not carry out is reported then. */
  readonly ownProxies: boolean;
  readonly given: Given;
  readonly namespaces: ReadonlyMap<string, Resource>;
  readonly hosts: HostRegistry;
  /** Pods first. */
  readonly workloads: readonly Workload[];
  readonly workloadSearch: LabelSearch<Workload>;
  /** Workloads without Pods: selectors find them too. */
  readonly entrySearch: LabelSearch<WorkloadEntryLabels>;
  /** Services of a namespace whose selector the labels satisfy, in the order they were given. */
  servicesFor(labels: Readonly<Record<string, string>>, namespace: string): Resource<KubernetesService>[];
  /** A value that several analyzers share, made by the first that asks. */
  shared<Value>(key: string, make: () => Value): Value;
}

/** What a model is made from. */
export interface ModelInput {
  readonly resources: readonly Resource[];
  readonly meshConfig?: MeshConfig | undefined;
  /** What is not in the configuration does not exist: see Given. */
  readonly complete?: boolean | undefined;
  readonly ownProxies?: boolean | undefined;
  /** For the validity of certificates, milliseconds since 1970; the present without it. */
  readonly now?: number | undefined;
}

export interface WorkloadEntryLabels {
  readonly labels: Labels;
  readonly namespace: string;
}

/** Labels of its metadata beat those of its spec. */
function entryLabels({ metadata, spec }: Resource<WorkloadEntry>): WorkloadEntryLabels {
  return { labels: { ...spec.labels, ...metadata.labels }, namespace: metadata.namespace };
}

const CONTROLLERS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

/** The analyzers' view of a configuration. Costs one pass; indexes are made on demand. */
export function analysisModel({
  resources,
  meshConfig = {},
  complete = false,
  ownProxies = false,
  now = Date.now(),
}: ModelInput): AnalysisModel {
  const byKind = new Map<string, Resource[]>();
  const everyService: Resource<KubernetesService>[] = [];
  const all: Resource[] = [];
  for (const resource of resources) {
    const { group, kind, metadata } = resource;
    if (kind === 'Service' && group === '') everyService.push(resource as Resource<KubernetesService>);
    if (isSystemNamespace(kind === 'Namespace' ? metadata.name : metadata.namespace)) continue;
    all.push(resource);
    const key = group === 'gateway.networking.k8s.io' ? `${group}/${kind}` : kind;
    const list = byKind.get(key);
    if (list === undefined) byKind.set(key, [resource]);
    else list.push(resource);
  }
  const values = new Map<string, unknown>();
  const shared = <Value>(key: string, make: () => Value): Value => {
    if (!values.has(key)) values.set(key, make());
    return values.get(key) as Value;
  };
  const model: AnalysisModel = {
    all,
    whole: resources,
    of: <Spec>(kind: string) => (byKind.get(kind) ?? []) as Resource<Spec>[],
    find(kind, namespace, name) {
      const index = shared(`find ${kind}`, () => {
        const named = new Map<string, Resource>();
        for (const resource of byKind.get(kind) ?? []) named.set(`${resource.metadata.namespace}/${resource.metadata.name}`, resource);
        return named;
      });
      return index.get(`${namespace}/${name}`);
    },
    meshConfig,
    rootNamespace: meshConfig.rootNamespace || 'istio-system',
    now,
    ownProxies,
    shared,
    get given() {
      return shared('given', () => findGiven(model, complete));
    },
    get namespaces() {
      return shared('namespaces', () => new Map(model.of('Namespace').map((namespace) => [namespace.metadata.name, namespace])));
    },
    get hosts() {
      // What is in a system namespace is not judged, but it is there.
      return shared('hosts', () => hostRegistry(everyService, model.of<ServiceEntry>('ServiceEntry')));
    },
    get workloads() {
      return shared('workloads', () =>
        collectWorkloads(
          model.of('Pod'),
          CONTROLLERS.flatMap((kind) => model.of(kind)),
        ),
      );
    },
    get workloadSearch() {
      return shared('workload search', () => labelSearch(model.workloads));
    },
    get entrySearch() {
      return shared('entry search', () => labelSearch(model.of<WorkloadEntry>('WorkloadEntry').map(entryLabels)));
    },
    servicesFor(labels, namespace) {
      const search = shared('services by selector', () =>
        selectorSearch(
          model.of<KubernetesService>('Service'),
          (service) => service.spec.selector,
          (service) => service.metadata.namespace,
        ),
      );
      return search(labels, namespace);
    },
  };
  return model;
}
