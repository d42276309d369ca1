import type { ServiceEntry, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { fullHost } from '../model/hosts.ts';
import { destinationsOf } from '../model/virtual-service-parts.ts';

/** Mirrors whose copies are acted on, or leave the mesh. */
export const mirrors: Analyzer = {
  name: 'fl-mirrors',
  codes: ['FL0107', 'FL0108'],
  run(model, report) {
    const all = model.of<VirtualService>('VirtualService');
    if (!all.some(({ spec }) => (spec.http ?? []).some(({ mirror, mirrors: several }) => mirror !== undefined || several !== undefined)))
      return;
    const live = new Map<string, { resource: Resource; at: FieldPath }>();
    for (const resource of all) {
      for (const { destination, at, use } of destinationsOf(resource.spec)) {
        if (use !== 'route' || isUnused(resource.spec, at)) continue;
        const host = fullHost(resource.metadata.namespace, destination.host);
        for (const key of [`${host}|${destination.subset ?? ''}`, `${host}|*`]) if (!live.has(key)) live.set(key, { resource, at });
      }
    }
    for (const resource of all) {
      const { namespace } = resource.metadata;
      for (const { destination, at, use } of destinationsOf(resource.spec)) {
        if (use !== 'mirror') continue;
        const host = fullHost(namespace, destination.host);
        const entry = model.hosts.lookup(namespace, resource.spec.exportTo, destination.host)?.resource;
        if (entry?.kind === 'ServiceEntry' && ((entry as Resource<ServiceEntry>).spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL') {
          const related = [{ resource: entry, at: ['spec', 'hosts'], note: 'it is outside of the mesh' }];
          report('FL0108', resource, [...at, 'host'], { host: destination.host }, { related });
        }
        const used = live.get(`${host}|${destination.subset ?? '*'}`) ?? live.get(`${host}|`);
        if (used === undefined) continue;
        const target = destination.subset ? `${destination.host}, subset ${destination.subset},` : destination.host;
        report('FL0107', resource, at, { target }, { related: [{ ...used, note: 'requests are sent to it here' }] });
      }
    }
  },
};

/** Weight 0: nothing is sent there. */
function isUnused({ http = [] }: VirtualService, at: FieldPath): boolean {
  const [, list, rule, , i] = at as [string, string, number, string, number];
  const route = list === 'http' ? http[rule]?.route : undefined;
  return route !== undefined && route.length > 1 && !route[i]?.weight;
}
