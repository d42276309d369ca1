import { type FieldPath, originOf, type Resource, remoteId } from '../config/resource.ts';
import { GATEWAY_API } from './gateway-api/objects.ts';
import { compareResources } from './order.ts';
import { problemAt, type Report } from './problem.ts';

/** Groups whose kinds a mesh reads, by kind: `Gateway` and `Service` are names in other groups as well. */
const groups: Readonly<Record<string, string>> = {
  Service: '',
  Endpoints: '',
  Pod: '',
  Node: '',
  Namespace: '',
  Secret: '',
  ConfigMap: '',
  ServiceAccount: '',
  EndpointSlice: 'discovery.k8s.io',
  Gateway: 'networking.istio.io',
  VirtualService: 'networking.istio.io',
  DestinationRule: 'networking.istio.io',
  ServiceEntry: 'networking.istio.io',
  Sidecar: 'networking.istio.io',
  WorkloadEntry: 'networking.istio.io',
};

/** Resources by kind. */
export interface ResourceIndex {
  /** Those of other clusters included. */
  resources: readonly Resource[];
  /** Without those of other clusters, which `ofKind` does not give either. */
  own: readonly Resource[];
  /** Oldest first. A kind that several groups have means the mesh's own; the Gateway API's are `gateway.networking.k8s.io/Gateway`. */
  ofKind<T = unknown>(kind: string): readonly Resource<T>[];
  /** Those of all clusters, oldest first. */
  everywhere<T = unknown>(kind: string): readonly Resource<T>[];
}

const keyOf = (resource: Resource): string => {
  const { group, kind, metadata } = resource;
  return `${remoteId(resource)} ${group}/${kind}/${metadata.namespace}/${metadata.name}`;
};

const isOwn = (resource: Resource): boolean => resource.cluster?.remote !== true;

/** Indexes `resources`, each kind when it is first asked for. */
export function indexResources(resources: readonly Resource[]): ResourceIndex {
  const own = resources.every(isOwn) ? resources : resources.filter(isOwn);
  const ofOwn = byKind(own);
  const ofAll = own === resources ? ofOwn : byKind(resources);
  return {
    resources,
    own,
    ofKind: <T>(kind: string) => ofOwn(kind) as readonly Resource<T>[],
    everywhere: <T>(kind: string) => ofAll(kind) as readonly Resource<T>[],
  };
}

function byKind(resources: readonly Resource[]): (kind: string) => readonly Resource[] {
  let lists: Map<string, Resource[]> | undefined;
  const sorted = new Set<string>();
  return (kind) => {
    lists ??= groupByKind(resources);
    const list = lists.get(kind) ?? [];
    if (!sorted.has(kind)) {
      list.sort(compareResources);
      sorted.add(kind);
    }
    return list;
  };
}

function groupByKind(resources: readonly Resource[]): Map<string, Resource[]> {
  const lists = new Map<string, Resource[]>();
  for (const resource of resources) {
    const ofGatewayApi = resource.group === GATEWAY_API;
    const group = Object.hasOwn(groups, resource.kind) ? groups[resource.kind] : undefined;
    if (!ofGatewayApi && group !== undefined && group !== resource.group) continue;
    const key = ofGatewayApi ? `${GATEWAY_API}/${resource.kind}` : resource.kind;
    const list = lists.get(key);
    if (list) list.push(resource);
    else lists.set(key, [resource]);
  }
  return lists;
}

/** With more new resources all of them are looked through at once. */
const FEW = 16;

function sameIdentity(a: Resource, b: Resource): boolean {
  return (
    a.metadata.name === b.metadata.name &&
    a.kind === b.kind &&
    a.metadata.namespace === b.metadata.namespace &&
    a.group === b.group &&
    remoteId(a) === remoteId(b)
  );
}

/** True when one of `added` has the identity of another one of `resources`, which have no doubles besides. */
export function bringsDoubles(added: readonly Resource[], resources: readonly Resource[]): boolean {
  if (added.length > FEW) {
    const keys = new Set(resources.map(keyOf));
    return keys.size < resources.length;
  }
  return added.some((one) => resources.some((other) => other !== one && sameIdentity(one, other)));
}

/** The resources without those that an earlier one of the same kind, namespace and name hides, which are reported. */
export function withoutDuplicates(resources: readonly Resource[], report: Report): readonly Resource[] {
  const seen = new Map<string, Resource>();
  const path: FieldPath = ['metadata', 'name'];
  const doubles = new Set<Resource>();
  for (const resource of resources) {
    const key = keyOf(resource);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, resource);
      continue;
    }
    doubles.add(resource);
    const { line } = first.source.positionOf(path);
    report(
      problemAt(resource, path, {
        severity: 'error',
        rule: 'resource/duplicate',
        message: `${originOf(resource)} is defined twice; first in ${first.source.file}:${line}`,
        hint: 'remove one of the two, or give it another name',
      }),
    );
  }
  return doubles.size === 0 ? resources : resources.filter((r) => !doubles.has(r));
}
