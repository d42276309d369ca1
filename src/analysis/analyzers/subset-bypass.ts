import type { VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { MAX_RELATED } from '../model/bounds.ts';
import { fullHost, fullName } from '../model/hosts.ts';

/** Gateway routes to a host whose subsets another VirtualService routes to: at the gateway those rules do not apply. */
export const subsetBypass: Analyzer = {
  name: 'subset-bypass',
  codes: ['IST0140'],
  run(model, report) {
    /** By the full host: a VirtualService that routes its own host to a subset. */
    const subsetRoutes = new Map<string, { resource: Resource<VirtualService>; at: FieldPath }[]>();
    const services = model.of<VirtualService>('VirtualService');
    const routes = function* ({ spec }: Resource<VirtualService>) {
      for (const [i, { route = [] }] of (spec.http ?? []).entries()) {
        for (const [j, { destination }] of route.entries()) {
          yield { destination, at: ['spec', 'http', i, 'route', j, 'destination', 'host'] };
        }
      }
    };
    for (const resource of services) {
      const { hosts = [] } = resource.spec;
      for (const { destination, at } of routes(resource)) {
        if (!destination.subset || !hosts.includes(destination.host)) continue;
        const host = fullHost(resource.metadata.namespace, destination.host);
        const list = subsetRoutes.get(host) ?? [];
        if (list.length < MAX_RELATED && list.at(-1)?.resource !== resource) list.push({ resource, at });
        subsetRoutes.set(host, list);
      }
    }
    for (const resource of services) {
      if ((resource.spec.gateways ?? []).length === 0) continue;
      for (const { destination, at } of routes(resource)) {
        if (destination.subset) continue;
        for (const other of subsetRoutes.get(fullHost(resource.metadata.namespace, destination.host)) ?? []) {
          report(
            'IST0140',
            resource,
            at,
            { virtualservicesubset: fullName(other.resource.metadata), virtualservice: fullName(resource.metadata) },
            { related: [{ resource: other.resource, at: other.at, note: 'the route to a subset is here' }] },
          );
        }
      }
    }
  },
};
