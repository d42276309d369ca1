import type { DestinationRule, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullHost } from '../model/hosts.ts';
import { destinationsOf, MESH } from '../model/virtual-service-parts.ts';

const SUFFIX = '.svc.cluster.local';

/** Short host names that mean another namespace than the one the service is in. */
export const shortHosts: Analyzer = {
  name: 'fl-short-hosts',
  codes: ['FL0201'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      const { hosts = [], gateways = [], exportTo } = resource.spec;
      if (gateways.length === 0 || gateways.includes(MESH)) {
        for (const [i, host] of hosts.entries()) check(model, resource, host, exportTo, ['spec', 'hosts', i], report);
      }
      for (const { destination, at } of destinationsOf(resource.spec))
        check(model, resource, destination.host, exportTo, [...at, 'host'], report);
    }
    for (const resource of model.of<DestinationRule>('DestinationRule')) {
      check(model, resource, resource.spec.host, resource.spec.exportTo, ['spec', 'host'], report);
    }
  },
};

function check(
  model: AnalysisModel,
  resource: Resource,
  host: string,
  exportTo: readonly string[] | undefined,
  at: FieldPath,
  report: ReportFinding,
): void {
  const { namespace } = resource.metadata;
  if (host.startsWith('*') || model.hosts.lookup(namespace, exportTo, host) !== undefined) return;
  const meant = serviceMeant(model, host);
  if (meant === undefined) return;
  const full = `${meant.metadata.name}.${meant.metadata.namespace}${SUFFIX}`;
  if (model.hosts.lookup(namespace, exportTo, full) === undefined) return;
  report(
    'FL0201',
    resource,
    at,
    { host, resolved: fullHost(namespace, host), meant: full },
    {
      related: [{ resource: meant, at: ['metadata', 'name'], note: 'the only Service of that name is here' }],
      fix: { title: `Write ${host} as ${full}`, edits: [{ resource, path: at, value: full }] },
    },
  );
}

/** The one Service that a name without namespace, `name.namespace` or `name.namespace.svc` can only mean. */
function serviceMeant(model: AnalysisModel, host: string): Resource | undefined {
  const parts = host.split('.');
  const [name = '', namespace = '', svc] = parts;
  if (parts.length === 1) {
    const byName = model.shared('services by name', () => Map.groupBy(model.of('Service'), (service) => service.metadata.name));
    const found = byName.get(name) ?? [];
    return found.length === 1 ? found[0] : undefined;
  }
  return parts.length === 2 || (parts.length === 3 && svc === 'svc') ? model.find('Service', namespace, name) : undefined;
}
