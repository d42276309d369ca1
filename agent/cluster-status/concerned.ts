/** Which proxies an object concerns: those whose configuration is made of it. */
import type { DestinationRule, ServiceEntry } from '../../src/config/kinds/networking.ts';
import type { Resource } from '../../src/config/resource.ts';
import { isFor } from '../../src/describe/policies.ts';
import { isExportedTo, normaliseExportTo } from '../../src/mesh/export-to.ts';
import { GATEWAY_NAME } from '../../src/mesh/gateway-api/gateway-views.ts';
import { GATEWAY_API } from '../../src/mesh/gateway-api/objects.ts';
import { isSubset } from '../../src/mesh/labels.ts';
import { getOrMake } from '../../src/mesh/memo.ts';
import type { Mesh, VirtualServiceView } from '../../src/mesh/types.ts';
import type { Taken } from './digest.ts';
import type { ReportedProxy } from './reports.ts';

/** Proxies by what they have taken; those that have taken nothing yet are left out. */
export interface ProxySet {
  readonly all: number;
  readonly byState: ReadonlyMap<Taken, readonly ReportedProxy[]>;
}

function proxySet(proxies: readonly ReportedProxy[]): ProxySet {
  const byState = new Map<Taken, ReportedProxy[]>();
  let all = 0;
  for (const proxy of proxies) {
    if (proxy.taken === undefined) continue;
    getOrMake(byState, proxy.taken, (): ReportedProxy[] => []).push(proxy);
    all++;
  }
  return { all, byState };
}

const NOBODY: ProxySet = { all: 0, byState: new Map() };

/** Proxies that see the same VirtualServices. */
interface Group {
  readonly proxies: ReportedProxy[];
  readonly views: readonly VirtualServiceView[];
}

const parts = new WeakMap<VirtualServiceView, readonly Resource[]>();

/** What a view is made of: a VirtualService with its delegates. */
function partsOf(view: VirtualServiceView): readonly Resource[] {
  let known = parts.get(view);
  if (known === undefined) {
    const origins = view.httpOrigins.flatMap(({ resource, matches = [] }) => [resource, ...matches.map((m) => m.resource)]);
    known = [...new Set([view.resource, ...origins])];
    parts.set(view, known);
  }
  return known;
}

/** Proxies of one namespace with the same Sidecar see the same; gateways by what is attached to their Gateways. */
function groupsOf(mesh: Mesh, proxies: readonly ReportedProxy[]): Group[] {
  const groups = new Map<unknown, Map<string, Group>>();
  for (const proxy of proxies) {
    const scope = mesh.scope(proxy.node);
    const router = proxy.node.type === 'router';
    const keys = router ? scope.gateways.map(({ key }) => key) : [];
    const byName = getOrMake(groups, router ? 'router' : scope.sidecar, () => new Map<string, Group>());
    getOrMake(byName, [proxy.node.namespace, ...keys].join(' '), (): Group => {
      const views = router ? keys.flatMap((key) => scope.virtualServicesFor(key)) : scope.virtualServices;
      return { proxies: [], views };
    }).proxies.push(proxy);
  }
  return [...groups.values()].flatMap((byName) => [...byName.values()]);
}

/** Groups that see one thing; thousands of things are seen by the same ones. */
interface Seen {
  readonly groups: readonly Group[];
  readonly more: Map<Group, Seen>;
  proxies: ProxySet | undefined;
}

/** Whoever sees a VirtualService, in one pass over all that is seen. */
function viewersOf(groups: readonly Group[]): (resource: Resource) => ProxySet {
  const nobody: Seen = { groups: [], more: new Map(), proxies: NOBODY };
  const seen = new Map<Resource, Seen>();
  for (const group of groups) {
    for (const view of group.views) {
      for (const resource of partsOf(view)) {
        const before = seen.get(resource) ?? nobody;
        if (before.groups.at(-1) === group) continue;
        seen.set(
          resource,
          getOrMake(before.more, group, () => ({ groups: [...before.groups, group], more: new Map(), proxies: undefined })),
        );
      }
    }
  }
  return (resource) => {
    const by = seen.get(resource) ?? nobody;
    by.proxies ??= proxySet(by.groups.flatMap(({ proxies }) => proxies));
    return by.proxies;
  };
}

/** Answers for any resource of the mesh. */
export function concerned(mesh: Mesh, reported: readonly ReportedProxy[]): (resource: Resource) => ProxySet {
  const proxies = reported.filter(({ taken }) => taken !== undefined);
  const viewers = viewersOf(groupsOf(mesh, proxies));
  const byNamespace = Map.groupBy(proxies, ({ node }) => node.namespace);
  const exported = new Map<string, ProxySet>();

  function exportedTo(exportTo: readonly string[]): ProxySet {
    return getOrMake(exported, exportTo.join(), () => proxySet(proxies.filter(({ node }) => isExportedTo(exportTo, node.namespace))));
  }

  function inNamespace(namespace: string, test: (proxy: ReportedProxy) => boolean): ProxySet {
    const around = namespace === mesh.config.rootNamespace ? proxies : (byNamespace.get(namespace) ?? []);
    return proxySet(around.filter(test));
  }

  return (resource) => {
    const { kind, group, metadata, spec } = resource;
    const { namespace } = metadata;
    if (group === GATEWAY_API) {
      if (kind !== 'Gateway') return NOBODY;
      return proxySet(
        (byNamespace.get(namespace) ?? []).filter(({ node }) => node.type === 'router' && node.labels[GATEWAY_NAME] === metadata.name),
      );
    }
    if (kind === 'VirtualService') return viewers(resource);
    if (kind === 'ServiceEntry')
      return exportedTo(normaliseExportTo((spec as ServiceEntry).exportTo, namespace, mesh.config.defaultServiceExportTo));
    if (kind === 'DestinationRule') {
      const { exportTo, workloadSelector } = spec as DestinationRule;
      if (workloadSelector)
        return inNamespace(
          namespace,
          ({ node }) => node.namespace === namespace && isSubset(workloadSelector.matchLabels ?? {}, node.labels),
        );
      return exportedTo(normaliseExportTo(exportTo, namespace, mesh.config.defaultDestinationRuleExportTo));
    }
    if (kind === 'Gateway')
      return proxySet(
        proxies.filter(({ node }) => node.type === 'router' && mesh.scope(node).gateways.some((g) => g.resource === resource)),
      );
    if (kind === 'Sidecar') return proxySet(proxies.filter(({ node }) => mesh.scope(node).sidecar === resource));
    return inNamespace(namespace, ({ node }) => isFor(resource, node, mesh));
  };
}
