import type { Gateway } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { firstKey, selectorText } from '../model/selector.ts';
import type { Workload } from '../model/workloads.ts';

/** Gateways that no Pod serves, and ports that no Service leads to. */
export const gatewayWorkloads: Analyzer = {
  name: 'gateway-workloads',
  codes: ['IST0101', 'IST0162'],
  run(model, report) {
    for (const resource of model.of<Gateway>('Gateway')) {
      const { selector = {}, servers = [] } = resource.spec;
      const key = firstKey(selector);
      const at = key === undefined ? ['spec'] : ['spec', 'selector', key];
      const workloads = model.workloadSearch.select(selector);
      if (workloads.length === 0) {
        // The gateway's own Deployment is seldom kept with the applications': without Pods nothing can be said.
        if (model.given.pods && model.entrySearch.select(selector).length === 0)
          report('IST0101', resource, at, { reftype: 'selector', refval: selectorText(selector) });
        continue;
      }
      if (!model.given.services) continue;
      const allowed = portsOfServices(model, workloads);
      if (allowed === undefined) continue;
      for (const [i, { port }] of servers.entries()) {
        if (port.number === 0 || allowed.has(port.number)) continue;
        report('IST0162', resource, ['spec', 'servers', i, 'port', 'number'], { port: port.number, selector: selectorText(selector) });
      }
    }
  },
};

/** Ports by which the workloads are reached; undefined when their Services are kept elsewhere. */
function portsOfServices(model: AnalysisModel, workloads: readonly Workload[]): Set<number> | undefined {
  const ports = new Set<number>();
  const seen = new Set<Resource>();
  for (const { labels, namespace } of workloads) {
    for (const service of model.servicesFor(labels, namespace)) {
      if (seen.has(service)) continue;
      seen.add(service);
      for (const { port, targetPort, protocol } of service.spec.ports ?? []) {
        if (protocol !== undefined && protocol !== 'TCP') continue;
        ports.add(port);
        if (typeof targetPort === 'number' && targetPort !== 0) ports.add(targetPort);
      }
    }
  }
  return seen.size === 0 && !model.given.pods ? undefined : ports;
}
