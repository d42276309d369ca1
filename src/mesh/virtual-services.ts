import type { VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { delegateNames, mergeDelegates } from './delegates.ts';
import { isExportedTo, normaliseExportTo } from './export-to.ts';
import { normaliseGateway } from './gateway-names.ts';
import { completeHost } from './host-match.ts';
import { getOrMake } from './memo.ts';
import { type ModelMemo, made, reported, sameItems } from './model-memo.ts';
import type { Report } from './problem.ts';
import type { ResolvedMeshConfig, VirtualServiceView } from './types.ts';

/** All VirtualServices that route something, found by the gateway that they are attached to. */
export interface VirtualServices {
  /** Oldest first; delegates are inside their roots. */
  all: readonly VirtualServiceView[];
  /**
   * Attached to `mesh` or `<namespace>/<gateway>` and visible in `namespace`: first the namespace's own that are exported to it by name,
   * then those of other namespaces exported to it by name, then public ones; each oldest first.
   */
  attachedTo(gateway: string, namespace: string): readonly VirtualServiceView[];
  /** All visible in `namespace`, in the same order. */
  visibleIn(namespace: string): readonly VirtualServiceView[];
}

function view(resource: Resource<VirtualService>, config: ResolvedMeshConfig): VirtualServiceView {
  const { spec, metadata } = resource;
  const { namespace } = metadata;
  const gateways = spec.gateways ?? [];
  return {
    resource,
    hosts: [...new Set((spec.hosts ?? []).map((host) => completeHost(host, namespace, config.domain)))],
    gateways: gateways.length === 0 ? ['mesh'] : [...new Set(gateways.map((gateway) => normaliseGateway(gateway, namespace)))],
    spec,
    httpOrigins: (spec.http ?? []).map((_, index) => ({ resource, path: ['spec', 'http', index] })),
    exportTo: normaliseExportTo(spec.exportTo, namespace, config.defaultVirtualServiceExportTo),
  };
}

/** Private, exported by name, public: the order in which they are asked. */
function tier(view: VirtualServiceView, namespace: string): 0 | 1 | 2 {
  if (view.exportTo[0] === '*') return 2;
  return view.resource.metadata.namespace === namespace ? 0 : 1;
}

function visible(views: readonly VirtualServiceView[], namespace: string): readonly VirtualServiceView[] {
  const tiers: [VirtualServiceView[], VirtualServiceView[], VirtualServiceView[]] = [[], [], []];
  for (const view of views) if (isExportedTo(view.exportTo, namespace)) tiers[tier(view, namespace)].push(view);
  return tiers.flat();
}

/** Views of `resources` (oldest first). Those without hosts are delegates: they route nothing by themselves. */
export function buildVirtualServices(
  resources: readonly Resource<VirtualService>[],
  memo: Pick<ModelMemo, 'config' | 'views' | 'merged'>,
  report: Report,
): VirtualServices {
  const { config } = memo;
  const delegates = new Map<string, VirtualServiceView>();
  const roots: VirtualServiceView[] = [];
  for (const resource of resources) {
    const { metadata } = resource;
    const one = getOrMake(memo.views, resource, () => view(resource, config));
    if (one.hosts.length === 0) delegates.set(`${metadata.namespace}/${metadata.name}`, one);
    else roots.push(one);
  }
  const all = roots.map((root) => {
    const names = delegateNames(root);
    if (names.length === 0) return root;
    const used = names.map((name) => delegates.get(name));
    let merged = memo.merged.get(root);
    if (merged === undefined || !sameItems(merged.delegates, used)) {
      merged = { ...made((report) => mergeDelegates(root, delegates, config.domain, report)), delegates: used };
      memo.merged.set(root, merged);
    }
    return reported(merged, report);
  });
  return virtualServicesOf(all);
}

/** VirtualServices with further views, of routes of the Gateway API. */
export function withViews(virtualServices: VirtualServices, views: readonly VirtualServiceView[]): VirtualServices {
  return views.length === 0 ? virtualServices : virtualServicesOf([...virtualServices.all, ...views]);
}

function virtualServicesOf(all: readonly VirtualServiceView[]): VirtualServices {
  const byGateway = new Map<string, VirtualServiceView[]>();
  for (const one of all) {
    for (const gateway of one.gateways) {
      const list = byGateway.get(gateway);
      if (list) list.push(one);
      else byGateway.set(gateway, [one]);
    }
  }
  const lists = new Map<string, readonly VirtualServiceView[]>();
  return {
    all,
    attachedTo: (gateway, namespace) =>
      getOrMake(lists, `${gateway}\n${namespace}`, () => visible(byGateway.get(gateway) ?? [], namespace)),
    visibleIn: (namespace) => getOrMake(lists, `\n${namespace}`, () => visible(all, namespace)),
  };
}
