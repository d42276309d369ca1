import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { PeerAuthentication } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset, type Labels } from '../../mesh/labels.ts';
import { compareResources } from '../../mesh/order.ts';
import { kubernetesProtocol } from '../../mesh/protocol.ts';
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

export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

/** What a workload accepts, and the PeerAuthentication that says so; without one it is Istio's default. */
export interface EffectiveMtls {
  readonly mode: MtlsMode;
  readonly by?: { readonly resource: Resource<PeerAuthentication>; readonly at: readonly (string | number)[] };
}

const isMode = (mode: string | undefined): mode is MtlsMode => mode === 'STRICT' || mode === 'PERMISSIVE' || mode === 'DISABLE';

/**
 * The mode of a port of a workload (its own port, as `portLevelMtls` names it; undefined: of those that it does not name). Of each scope
 * the oldest policy counts, the narrowest that says something decides; one with a selector in the root namespace is for nobody.
 *
 * @see https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
export function effectiveMtls(model: AnalysisModel, namespace: string, labels: Labels, port?: number): EffectiveMtls {
  const peers = model.shared('peer authentications', () =>
    Map.groupBy([...model.of<PeerAuthentication>('PeerAuthentication')].sort(compareResources), (p) => p.metadata.namespace),
  );
  const isWide = (policy: Resource): boolean => Object.keys(selectorOf(policy)).length === 0;
  const own = namespace === model.rootNamespace ? [] : (peers.get(namespace) ?? []);
  const workload = own.find((policy) => !isWide(policy) && isSubset(selectorOf(policy), labels));
  const atPort = port === undefined ? undefined : workload?.spec.portLevelMtls?.[port]?.mode;
  if (workload !== undefined && isMode(atPort))
    return { mode: atPort, by: { resource: workload, at: ['spec', 'portLevelMtls', String(port), 'mode'] } };
  for (const policy of [workload, own.find(isWide), peers.get(model.rootNamespace)?.find(isWide)]) {
    const mode = policy?.spec.mtls?.mode;
    if (policy !== undefined && isMode(mode)) return { mode, by: { resource: policy, at: ['spec', 'mtls', 'mode'] } };
  }
  return { mode: 'PERMISSIVE' };
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
