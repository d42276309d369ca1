import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { DestinationRule } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';

/** Subsets whose labels some workload carries, but none of the service itself: IST0173 looks at all workloads of all namespaces. */
export const subsetEndpoints: Analyzer = {
  name: 'fl-subset-endpoints',
  codes: ['FL0202'],
  run(model, report) {
    for (const resource of model.of<DestinationRule>('DestinationRule')) {
      const { host, subsets = [], exportTo } = resource.spec;
      if (subsets.length === 0 || host.startsWith('*')) continue;
      const service = model.hosts.lookup(resource.metadata.namespace, exportTo, host)?.resource;
      if (service?.kind !== 'Service') continue;
      const { selector = {} } = (service as Resource<KubernetesService>).spec;
      const { namespace } = service.metadata;
      if (Object.keys(selector).length === 0 || !model.given.workloads(namespace)) continue;
      for (const [i, { name, labels = {} }] of subsets.entries()) {
        const contradicts = Object.entries(labels).some(([key, value]) => Object.hasOwn(selector, key) && selector[key] !== value);
        if (!contradicts && model.workloadSearch.select({ ...selector, ...labels }, namespace).length > 0) continue;
        // Nobody has these labels at all: IST0173 says so. Localities are no labels of workloads.
        if (model.workloadSearch.select(labels).length === 0) continue;
        const related = [{ resource: service, at: ['spec', 'selector'], note: 'the workloads of the service' }];
        report('FL0202', resource, ['spec', 'subsets', i, 'labels'], { subset: name, host }, { atKey: true, related });
      }
    }
  },
};
