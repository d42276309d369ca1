import type { DestinationRule } from '../../config/kinds/networking.ts';
import { type Labels, labelOf } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullHost } from '../model/hosts.ts';
import { labelSearch } from '../model/selector.ts';
import { suffixSearch } from '../model/suffix-search.ts';

/** DestinationRules for hosts that are not there, and subsets that no workload belongs to. */
export const destinationRuleHosts: Analyzer = {
  name: 'destination-rule-hosts',
  codes: ['IST0173', 'IST0174'],
  run(model, report) {
    const search = model.shared('workloads with locality', () => labelSearch(locatedWorkloads(model)));
    for (const resource of model.of<DestinationRule>('DestinationRule')) {
      const { host, subsets = [], exportTo } = resource.spec;
      const { namespace } = resource.metadata;
      const entry = model.hosts.lookup(namespace, exportTo, host);
      if (entry === undefined) {
        if (!model.given.hosts(host) || (host.startsWith('*') && coversService(model, host))) continue;
        report('IST0174', resource, ['spec', 'host'], { host });
        continue;
      }
      if (!model.given.workloads(entry.resource.metadata.namespace) || entry.resource.kind === 'ServiceEntry') {
        // A ServiceEntry's own endpoints carry labels too; only its selector speaks of workloads.
        if (Object.keys(entry.workloadLabels).length === 0 || !model.given.pods) continue;
      }
      for (const [i, { name, labels = {} }] of subsets.entries()) {
        if (search.select({ ...entry.workloadLabels, ...labels }).length > 0) continue;
        report('IST0173', resource, ['spec', 'subsets', i, 'name'], { subset: name });
      }
    }
  },
};

/** A wildcard for Services of the configuration, such as `*.shop.svc.cluster.local`. */
function coversService(model: AnalysisModel, host: string): boolean {
  const search = model.shared('service names', () =>
    suffixSearch(model.of('Service').map(({ metadata }) => fullHost(metadata.namespace, metadata.name))),
  );
  return search.overlapping(host).length > 0;
}

const LOCALITY = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'] as const;

/** Workloads with the locality of their Node among their labels. WorkloadEntries are workloads as well. */
function locatedWorkloads(model: AnalysisModel): { labels: Labels; namespace: string }[] {
  const located: { labels: Labels; namespace: string }[] = model.workloads.map(({ labels, namespace, spec, isPod }) => {
    const node = isPod && spec.nodeName ? model.find('Node', '', spec.nodeName) : undefined;
    if (node === undefined) return { labels, namespace };
    const added: Record<string, string> = { 'kubernetes.io/hostname': spec.nodeName! };
    for (const label of LOCALITY) {
      const value = labelOf(node.metadata.labels, label);
      if (value === undefined && label !== LOCALITY[0]) break;
      if (value !== undefined) added[label] = value;
    }
    return { labels: { ...labels, ...added }, namespace };
  });
  for (const { spec, metadata } of model.of<{ labels?: Labels }>('WorkloadEntry')) {
    located.push({ labels: { ...metadata.labels, ...spec.labels }, namespace: metadata.namespace });
  }
  return located;
}
