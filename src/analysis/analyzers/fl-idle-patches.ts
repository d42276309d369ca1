import type { EnvoyFilter } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset } from '../../mesh/labels.ts';
import type { ProxyNode } from '../../mesh/types.ts';
import type { Analyzer } from '../analyzer.ts';

/** Configs of proxies that are computed for this, at most, times the services in each. */
const MOST_WORK = 4000;

/** Patches that find nothing to change in the computed config of any proxy they are for. */
export const idlePatches: Analyzer = {
  name: 'fl-idle-patches',
  codes: ['FL0501'],
  async run(model, report) {
    const filters = model.of<EnvoyFilter>('EnvoyFilter').filter(({ spec }) => !spec.targetRefs?.length && spec.configPatches?.length);
    if (filters.length === 0 || !model.given.services) return;
    const [{ buildMesh }, { everyProxy }, { buildSnapshot }, { patchFinds }] = await Promise.all([
      import('../../mesh/mesh.ts'),
      import('../../mesh/proxies.ts'),
      import('../../envoy/build.ts'),
      import('../model/envoy-patches.ts'),
    ]);
    const mesh = buildMesh(model.all, { meshConfig: model.meshConfig });
    const proxies = distinct(everyProxy(mesh).filter(({ workload }) => workload.kind !== 'implied' || model.workloads.length === 0));
    // All or none: "in no proxy" needs every one.
    if (proxies.length * Math.max(1, mesh.services.length) > MOST_WORK) return;
    const snapshots = new Map<ProxyNode, ReturnType<typeof buildSnapshot>>();
    const snapshotOf = (proxy: ProxyNode) => {
      const made = snapshots.get(proxy) ?? buildSnapshot(mesh, proxy);
      snapshots.set(proxy, made);
      return made;
    };
    for (const resource of filters) {
      const meant = proxies.filter((proxy) => isFor(resource, proxy, model.rootNamespace));
      // That it selects nothing is another finding.
      if (meant.length === 0) continue;
      for (const [i, patch] of (resource.spec.configPatches ?? []).entries()) {
        if (patch.match?.proxy !== undefined || meant.some((proxy) => patchFinds(patch, snapshotOf(proxy)))) continue;
        const at = ['spec', 'configPatches', i, patch.match === undefined ? 'applyTo' : 'match'];
        report('FL0501', resource, at, { applyTo: patch.applyTo ?? '', proxies: meant.length }, { atKey: true });
      }
    }
  },
};

/** One of each Deployment or the like: its Pods are configured alike. */
function distinct(proxies: readonly ProxyNode[]): ProxyNode[] {
  const byOwner = new Map(proxies.map((proxy) => [`${proxy.type} ${proxy.workload.workloadName || proxy.name}.${proxy.namespace}`, proxy]));
  return [...byOwner.values()];
}

function isFor({ spec, metadata }: Resource<EnvoyFilter>, { namespace, labels }: ProxyNode, root: string): boolean {
  return (metadata.namespace === root || metadata.namespace === namespace) && isSubset(spec.workloadSelector?.labels ?? {}, labels);
}
