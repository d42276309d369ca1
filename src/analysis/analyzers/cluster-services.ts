import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import { canonicalText } from '../../routing/canonical-text.ts';
import type { Analyzer } from '../analyzer.ts';

type Service = Resource<KubernetesService>;
const CLUSTER = 'kubernetes:';

/** The same Service in several clusters, not the same in all of them. Files are no cluster. */
export const clusterServices: Analyzer = {
  name: 'cluster-services',
  codes: ['IST0170'],
  run(model, report) {
    const groups = new Map<string, Map<string, Service>>();
    for (const resource of model.of<KubernetesService>('Service')) {
      const { file } = resource.source;
      if (!file.startsWith(CLUSTER)) continue;
      const key = `${resource.metadata.namespace}/${resource.metadata.name}`;
      groups.set(key, (groups.get(key) ?? new Map<string, Service>()).set(file.slice(CLUSTER.length), resource));
    }
    for (const clusters of groups.values()) {
      const [[baseName, base], ...others] = [...clusters].sort(([a], [b]) => (a < b ? -1 : 1)) as [
        [string, Service],
        ...[string, Service][],
      ];
      const differing = new Set<string>();
      const reasons = new Set<string>();
      for (const [name, service] of others) {
        for (const reason of differences(base, service)) {
          reasons.add(reason);
          differing.add(name);
        }
      }
      if (reasons.size === 0) continue;
      const { name: serviceName, namespace } = base.metadata;
      const args = { serviceName, namespace, clusters: [baseName, ...differing].sort(), error: [...reasons].join('; ') };
      const related = others.map(([name, resource]) => ({ resource, at: ['spec'], note: `the one of cluster ${name}` }));
      report('IST0170', base, ['spec'], args, { related });
    }
  },
};

function differences({ spec: a }: Service, { spec: b }: Service): string[] {
  const found: string[] = [];
  if ((a.clusterIP === 'None') !== (b.clusterIP === 'None')) found.push('some are headless and some are not');
  if ((a.type ?? 'ClusterIP') !== (b.type ?? 'ClusterIP')) found.push('their types differ');
  if (portsText(a) !== portsText(b)) found.push('their ports differ');
  return found;
}

function portsText({ ports = [] }: KubernetesService): string {
  return canonicalText([...ports].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)));
}
