import type { VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { destinationsOf, type PlacedDestination } from '../model/virtual-service-parts.ts';

/** Destinations that no Service or ServiceEntry stands behind, and ports that they do not have. */
export const destinations: Analyzer = {
  name: 'destinations',
  codes: ['IST0101', 'IST0112'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const placed of destinationsOf(resource.spec)) checkDestination(model, resource, placed, report);
    }
  },
};

/** Names of other clusters' services, which only the control plane knows. */
const CLUSTERSET = '.svc.clusterset.local';

function checkDestination(
  model: AnalysisModel,
  resource: Resource<VirtualService>,
  { destination, at, use }: PlacedDestination,
  report: ReportFinding,
): void {
  const { host, port } = destination;
  const { namespace } = resource.metadata;
  const entry = model.hosts.lookup(namespace, resource.spec.exportTo, host);
  if (entry === undefined) {
    if (!model.given.hosts(host) || host.endsWith(CLUSTERSET)) return;
    report('IST0101', resource, [...at, 'host'], { reftype: use === 'route' ? 'host' : 'mirror host', refval: host });
    return;
  }
  const defined = { resource: entry.resource, at: ['spec', 'ports'], note: 'the ports are here' };
  const number = port?.number ?? 0;
  if (port === undefined) {
    if (entry.ports.length > 1) {
      report('IST0112', resource, [...at, 'host'], { destHost: host, destPorts: entry.ports }, { related: [defined] });
    }
  } else if (!entry.ports.includes(number)) {
    report('IST0101', resource, [...at, 'port', 'number'], { reftype: 'host:port', refval: `${host}:${number}` }, { related: [defined] });
  }
}
