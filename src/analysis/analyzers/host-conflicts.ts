import type { VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { firstOthers, joinNames } from '../model/bounds.ts';
import { exportScopes, fullHost, fullName } from '../model/hosts.ts';
import { suffixSearch } from '../model/suffix-search.ts';
import { MESH } from '../model/virtual-service-parts.ts';

type Service = Resource<VirtualService>;

/** VirtualServices for the same host in the mesh: only one of them takes effect. */
export const hostConflicts: Analyzer = {
  name: 'host-conflicts',
  codes: ['IST0109'],
  run(model, report) {
    const { everywhere, byNamespace } = meshHosts(model);
    const search = suffixSearch([...everywhere.keys()]);
    const done = new Set<Service>();
    const check = (host: string, group: readonly Service[]): void => {
      const distinct = [...new Set(group)];
      if (distinct.length < 2) return;
      const virtualServices = joinNames(distinct.map((r) => fullName(r.metadata)).sort(), ',');
      for (const resource of distinct) {
        if (done.has(resource)) continue;
        done.add(resource);
        const others = firstOthers(distinct, resource);
        const related = others.map((other) => ({ resource: other, at: hostPath(other, host), note: 'the same host is here' }));
        report('IST0109', resource, hostPath(resource, host), { virtualServices, host }, { related });
      }
    };
    for (const [host, group] of everywhere) check(`*/${host}`, group);
    for (const [key, group] of byNamespace) {
      const host = key.slice(key.indexOf('/') + 1);
      const visible = search.overlapping(host).flatMap((other) => everywhere.get(other) ?? []);
      check(key, [...group, ...visible]);
    }
  },
};

/** VirtualServices bound to the mesh, by the host and by who sees them. */
function meshHosts(model: AnalysisModel): { everywhere: Map<string, Service[]>; byNamespace: Map<string, Service[]> } {
  const everywhere = new Map<string, Service[]>();
  const byNamespace = new Map<string, Service[]>();
  for (const resource of model.of<VirtualService>('VirtualService')) {
    const { hosts = [], gateways = [], exportTo } = resource.spec;
    if (gateways.length > 0 && !gateways.includes(MESH)) continue;
    const { namespace } = resource.metadata;
    for (const scope of exportScopes(exportTo, namespace)) {
      for (const host of hosts) {
        const map = scope === '*' ? everywhere : byNamespace;
        const key = scope === '*' ? fullHost(namespace, host) : `${scope}/${fullHost(namespace, host)}`;
        const list = map.get(key);
        if (list === undefined) map.set(key, [resource]);
        else list.push(resource);
      }
    }
  }
  return { everywhere, byNamespace };
}

/** The entry of `hosts` that a key stands for; that of an overlapping wildcard is found by being the only one left. */
function hostPath({ spec, metadata }: Service, key: string): (string | number)[] {
  const host = key.slice(key.indexOf('/') + 1);
  const index = (spec.hosts ?? []).findIndex((written) => fullHost(metadata.namespace, written) === host);
  return ['spec', 'hosts', Math.max(index, 0)];
}
