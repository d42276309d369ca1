import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { PeerAuthentication } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import { compareResources } from '../../mesh/order.ts';
import { kubernetesProtocol } from '../../mesh/protocol.ts';
import { buildPeerAuthentications, type EffectiveMtls, effectiveMtls as modeOf } from '../../mesh/security/peer-authentication.ts';
import type { Protocol } from '../../mesh/types.ts';
import type { AnalysisModel } from './analysis-model.ts';
import type { Workload } from './workloads.ts';

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly targetRef?: unknown;
  readonly targetRefs?: readonly unknown[];
}

/** Whether a policy is attached to a Gateway, Service or waypoint instead of selecting workloads. */
export function isAttached({ spec }: Resource): boolean {
  const { targetRef, targetRefs = [] } = spec as Selecting;
  return targetRef !== undefined || targetRefs.length > 0;
}

/** The labels that a policy selects workloads by; none: all of its namespace, or of the mesh in the root namespace. */
export function selectorOf({ spec }: Resource): Labels {
  return (spec as Selecting).selector?.matchLabels ?? {};
}

/** The workloads that a policy with a selector is for. */
export function workloadsUnder(model: AnalysisModel, policy: Resource): readonly Workload[] {
  const { namespace } = policy.metadata;
  return model.workloadSearch.select(selectorOf(policy), namespace === model.rootNamespace ? undefined : namespace);
}

/** What a workload accepts on a port (its own, as `portLevelMtls` names it; undefined: of those that it does not name). */
export function effectiveMtls(model: AnalysisModel, namespace: string, labels: Labels, port?: number): EffectiveMtls {
  const peers = model.shared('peer authentications', () => {
    const oldestFirst = [...model.of<PeerAuthentication>('PeerAuthentication')].sort(compareResources);
    return buildPeerAuthentications(oldestFirst, model.rootNamespace, () => undefined);
  });
  return modeOf(peers.policiesFor(namespace, labels), port);
}

/** A port that a Service sends to a workload. */
export interface WorkloadPort {
  readonly service: Resource<KubernetesService>;
  readonly index: number;
  /** What clients call. */
  readonly port: number;
  /** Where the workload listens. */
  readonly target: number;
  readonly protocol: Protocol;
}

/** The ports of a workload that Services lead to. */
export function workloadPorts(model: AnalysisModel, workload: Workload): WorkloadPort[] {
  const known = model.shared('workload ports', () => new WeakMap<Workload, WorkloadPort[]>());
  let ports = known.get(workload);
  if (ports === undefined) {
    ports = model.servicesFor(workload.labels, workload.namespace).flatMap((service) =>
      (service.spec.ports ?? []).map((port, index) => ({
        service,
        index,
        port: port.port,
        target: targetOf(port, workload),
        protocol: kubernetesProtocol(port),
      })),
    );
    known.set(workload, ports);
  }
  return ports;
}

function targetOf({ port, targetPort }: { port: number; targetPort?: number | string }, { spec }: Workload): number {
  if (targetPort === undefined || targetPort === 0) return port;
  if (typeof targetPort === 'number') return targetPort;
  if (/^[0-9]+$/.test(targetPort)) return Number(targetPort);
  const containers = (spec.containers ?? []) as readonly { ports?: readonly { name?: string; containerPort?: number }[] }[];
  return containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)?.containerPort ?? port;
}
