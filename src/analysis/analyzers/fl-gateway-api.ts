import type { Resource } from '../../config/resource.ts';
import type { Fault } from '../../mesh/gateway-api/conditions.ts';
import type { ParentState } from '../../mesh/gateway-api/routes.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isSystemNamespace } from '../model/system-namespaces.ts';

const GROUP = 'gateway.networking.k8s.io';

/** Faults that say that something is not there, which is known only where such things are in the configuration. */
function isKnown({ reason, path }: Fault, parent: ParentState['kind'] | undefined, model: AnalysisModel): boolean {
  if (reason === 'BackendNotFound' || parent === 'Service') return model.given.services;
  // Which Gateway it is, not which of its listeners.
  return reason !== 'NoMatchingParent' || path[3] !== 'name' || model.of(`${GROUP}/Gateway`).length > 0;
}

/** Routes that attach to nothing, listeners that are not opened, and references that lead nowhere: the status that the objects get. */
export const gatewayApi: Analyzer = {
  name: 'fl-gateway-api',
  codes: ['FL0801', 'FL0802', 'FL0803', 'FL0701'],
  async run(model, report) {
    if (!model.all.some(({ group }) => group === GROUP)) return;
    const { buildMesh } = await import('../../mesh/mesh.ts');
    const { gateways, routes } = buildMesh(model.whole, { meshConfig: model.meshConfig }).gatewayApi;
    const tell = (resource: Resource, accepted: string, { condition, reason, message, path }: Fault): void => {
      if (isSystemNamespace(resource.metadata.namespace)) return;
      // Filters that Fairlead does not carry out may be carried out by others.
      if (condition === 'Accepted' && reason === 'UnsupportedValue') {
        if (model.ownProxies) report('FL0701', resource, path, { problem: message });
        return;
      }
      report(condition === 'ResolvedRefs' ? 'FL0802' : accepted, resource, path, { reason, why: message });
    };
    for (const { gateway, listeners } of gateways) for (const fault of listeners.flatMap((l) => l.faults)) tell(gateway, 'FL0803', fault);
    for (const { route, parents, faults } of routes) {
      for (const { fault, kind } of parents) if (fault !== undefined && isKnown(fault, kind, model)) tell(route, 'FL0801', fault);
      if (parents.some((p) => p.kind !== 'others'))
        for (const fault of faults) if (isKnown(fault, undefined, model)) tell(route, 'FL0802', fault);
    }
  },
};
