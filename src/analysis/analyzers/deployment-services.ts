import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import { inMesh } from '../model/injection.ts';
import { templateWorkload, type Workload } from '../model/workloads.ts';

/** Services of one Deployment whose ports get in each other's way. */
export const deploymentServices: Analyzer = {
  name: 'deployment-services',
  codes: ['IST0116', 'IST0137'],
  run(model, report) {
    for (const resource of model.of('Deployment')) {
      if (resource.metadata.labels['gateway.istio.io/managed'] === 'istio.io-mesh-controller') continue;
      const workload = templateWorkload(resource);
      if (workload !== undefined && inMesh(workload, model.namespaces)) checkWorkload(model, workload, report);
    }
  },
};

function checkWorkload(model: AnalysisModel, { resource, labels, namespace }: Workload, report: ReportFinding): void {
  const services = model.servicesFor(labels, namespace);
  /** Names of the Services by transport, by port; and by port, by target. */
  const transports = new Map<number, { protocols: Set<string>; services: string[] }>();
  const targets = new Map<string, Map<number, string>>();
  for (const service of services) {
    const name = fullName(service.metadata);
    for (const { port, targetPort, protocol } of service.spec.ports ?? []) {
      const seen = transports.get(port) ?? { protocols: new Set(), services: [] };
      seen.protocols.add(protocol ?? 'TCP');
      seen.services.push(name);
      transports.set(port, seen);
      const target = String(targetPort || port);
      targets.set(target, (targets.get(target) ?? new Map<number, string>()).set(port, name));
    }
  }
  const related = services.slice(0, 10).map((service) => ({ resource: service, at: ['spec', 'ports'], note: 'its ports are here' }));
  const deployment = resource.metadata.name;
  const at = ['metadata', 'name'];
  for (const [port, { protocols, services: names }] of transports) {
    if (protocols.size > 1) report('IST0116', resource, at, { deployment, port, services: [...names].sort() }, { related });
  }
  for (const [targetPort, byPort] of targets) {
    if (byPort.size < 2) continue;
    const ports = [...byPort.keys()].sort((a, b) => a - b);
    report('IST0137', resource, at, { deployment, services: [...byPort.values()].sort(), targetPort, ports }, { related });
  }
}
