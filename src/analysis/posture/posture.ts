import { originOf } from '../../config/resource.ts';
import { buildMesh } from '../../mesh/mesh.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isControlPlane } from '../model/control-plane.ts';
import { accessTo, accessWithoutProxy, policiesOver } from './access.ts';
import { clientModes } from './client-modes.ts';
import { entrySubjects } from './entries.ts';
import { findExposures } from './exposure.ts';
import { podSubjects } from './pods.ts';
import { pointsFor } from './points.ts';
import type { Subject, SubjectPort } from './subject.ts';
import { isGuarded, type PortPosture, type Posture } from './types.ts';

/**
 * Who may call each workload and port, by what, and from where; the weakest first. System namespaces, gateways and Istio's own parts are
 * left out: what gateways let in is told of those that they lead to.
 */
export function securityPosture(model: AnalysisModel, onlyNamespace?: string): Posture {
  const mesh = buildMesh(model.whole, { meshConfig: model.meshConfig });
  const exposures = findExposures(model, mesh);
  const clientTls = clientModes(model);
  const subjects = [...podSubjects(model, mesh.config.trustDomain), ...entrySubjects(mesh)].filter(
    ({ namespace, labels }) => (onlyNamespace ?? namespace) === namespace && !isControlPlane(labels),
  );
  const postureOf = (subject: Subject, port: SubjectPort, policies: ReturnType<typeof policiesOver>): PortPosture => {
    const { target, protocol, services, mtls, plainClients } = port;
    const asked = services.map((service) => clientTls(service.resource, service.port)).find((mode) => mode !== undefined);
    // A Service's own address outside is the cluster's: it leads to Pods.
    const ways = services
      .flatMap((service) => exposures(service.resource, service.port, subject.labels))
      .filter(({ by }) => by === 'gateway' || subject.resource.kind !== 'WorkloadEntry');
    const access = isGuarded(mtls.mode) ? accessTo(policies, target) : accessWithoutProxy(policies);
    const points = pointsFor(mtls, access, ways);
    return {
      workload: originOf(subject.resource),
      namespace: subject.namespace,
      ...(target !== undefined && { port: target, protocol: protocol ?? 'detected' }),
      services: [...new Set(services.map(({ name, port: number }) => `${name}:${number}`))],
      ...(subject.identity !== undefined && { identity: subject.identity }),
      mtls,
      clients: clientsOf(mtls.mode, asked, plainClients),
      access,
      exposures: ways,
      score: points.reduce((sum, part) => sum + part.points, 0),
      points,
    };
  };
  const ports = subjects.flatMap((subject) => {
    const policies = policiesOver(model, subject);
    return subject.ports.map((port) => postureOf(subject, port, policies));
  });
  const clientsOnly = subjects.flatMap(({ ports: none, identity, resource, namespace }) =>
    none.length > 0 || identity === undefined ? [] : [{ workload: originOf(resource), namespace, identity }],
  );
  const name = (a: PortPosture, b: PortPosture): number =>
    a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : (a.port ?? 0) - (b.port ?? 0);
  return { ports: ports.sort((a, b) => a.score - b.score || name(a, b)), clientsOnly };
}

/** What clients do, by their rule or by what they see of the workload, and whether that is refused. */
function clientsOf(
  mode: PortPosture['mtls']['mode'],
  asked: ReturnType<ReturnType<typeof clientModes>>,
  plain: SubjectPort['plainClients'],
): PortPosture['clients'] {
  if (asked === undefined) {
    if (mode !== 'STRICT' || plain === undefined) return { mode: 'automatic', conflict: false, references: [] };
    return { mode: 'automatic', conflict: true, why: plain.why, references: [plain.reference] };
  }
  const takesPlainOnly = mode === 'DISABLE' || !isGuarded(mode);
  const conflict =
    (mode === 'STRICT' && (asked.mode === 'DISABLE' || asked.mode === 'SIMPLE')) || (takesPlainOnly && asked.mode === 'ISTIO_MUTUAL');
  return { mode: asked.mode, conflict, references: asked.references };
}
