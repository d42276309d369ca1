import type { DestinationRule } from '../../config/kinds/networking.ts';
import { originOf, type Resource } from '../../config/resource.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isControlPlane } from '../model/control-plane.ts';
import { fullName } from '../model/hosts.ts';
import { inMesh, isAmbientNamespace, isAmbientWorkload } from '../model/injection.ts';
import { effectiveMtls, type WorkloadPort, workloadPorts } from '../model/policy-scope.ts';
import type { Workload } from '../model/workloads.ts';
import { accessTo, policiesOver } from './access.ts';
import { exposureKey, findExposures } from './exposure.ts';
import { pointsFor } from './points.ts';
import { type PortPosture, type Posture, referenceTo } from './types.ts';

/** Who may call each workload and port, by what, and from where; the weakest first. System namespaces and Istio's own parts are left out. */
export function securityPosture(model: AnalysisModel, onlyNamespace?: string): Posture {
  const exposures = findExposures(model);
  const clientTls = clientModes(model);
  const rows = model.workloads.filter(({ namespace, labels }) => (onlyNamespace ?? namespace) === namespace && !isControlPlane(labels));
  const ports = rows.flatMap((workload) => {
    const policies = policiesOver(model, workload);
    const byTarget = Map.groupBy(workloadPorts(model, workload), ({ target }) => target);
    const targets: [number | undefined, WorkloadPort[]][] = byTarget.size === 0 ? [[undefined, []]] : [...byTarget];
    return targets.map(([target, services]): PortPosture => {
      const mtls = mtlsOf(model, workload, target);
      const clients = services.map(({ service, port }) => clientTls(service, port)).find((mode) => mode !== undefined);
      const ways = services.flatMap(({ service, port }) =>
        [exposureKey(service, port), exposureKey(service, undefined)].flatMap((key) => exposures.get(key) ?? []),
      );
      const access = accessTo(policies, target);
      const mode = clients?.mode ?? 'automatic';
      const conflict =
        (mtls.mode === 'STRICT' && (mode === 'DISABLE' || mode === 'SIMPLE')) ||
        (['DISABLE', 'none'].includes(mtls.mode) && mode === 'ISTIO_MUTUAL');
      const points = pointsFor(mtls, access, ways);
      return {
        workload: originOf(workload.resource),
        namespace: workload.namespace,
        ...(target !== undefined && { port: target, protocol: services[0]!.protocol }),
        services: [...new Set(services.map(({ service, port }) => `${fullName(service.metadata)}:${port}`))],
        mtls,
        clients: { mode, conflict, references: clients?.references ?? [] },
        access,
        exposures: ways,
        score: points.reduce((sum, part) => sum + part.points, 0),
        points,
      };
    });
  });
  const name = (a: PortPosture, b: PortPosture): number =>
    a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : (a.port ?? 0) - (b.port ?? 0);
  return { ports: ports.sort((a, b) => a.score - b.score || name(a, b)) };
}

function mtlsOf(model: AnalysisModel, workload: Workload, target: number | undefined): PortPosture['mtls'] {
  // Without its Namespace object nobody can tell whether a template is injected.
  const ambient = isAmbientWorkload(workload) || isAmbientNamespace(model.namespaces.get(workload.namespace)?.metadata.labels);
  const injected = ambient || inMesh(workload, model.namespaces) || (!workload.isPod && !model.namespaces.has(workload.namespace));
  if (!injected) return { mode: 'none', references: [referenceTo(workload.resource, ['metadata', 'name'])] };
  const { mode, by } = effectiveMtls(model, workload.namespace, workload.labels, target);
  return { mode, references: by === undefined ? [] : [referenceTo(by.resource, by.at)] };
}

type ClientMode = Pick<PortPosture['clients'], 'mode' | 'references'>;

/** What DestinationRules make clients do, by Service and port. */
function clientModes(model: AnalysisModel): (service: Resource, port: number) => ClientMode | undefined {
  const modes = new Map<string, ClientMode>();
  for (const rule of model.of<DestinationRule>('DestinationRule')) {
    const { host, exportTo, trafficPolicy } = rule.spec;
    const service = model.hosts.lookup(rule.metadata.namespace, exportTo, host)?.resource;
    if (service === undefined || trafficPolicy === undefined) continue;
    const set = (port: number | undefined, mode: string | undefined, at: (string | number)[]): void => {
      if (mode !== undefined) modes.set(exposureKey(service, port), { mode, references: [referenceTo(rule, at)] });
    };
    set(undefined, trafficPolicy.tls?.mode, ['spec', 'trafficPolicy', 'tls', 'mode']);
    for (const [i, { port, tls }] of (trafficPolicy.portLevelSettings ?? []).entries())
      set(port?.number, tls?.mode, ['spec', 'trafficPolicy', 'portLevelSettings', i, 'tls', 'mode']);
  }
  return (service, port) => modes.get(exposureKey(service, port)) ?? modes.get(exposureKey(service, undefined));
}
