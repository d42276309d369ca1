/** Waits until what was applied is ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadError } from '../../errors.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { type ObjectRef, refText } from '../objects/object.ts';
import { type LiveObject, readObject } from './cluster-api.ts';

export interface WaitOptions {
  timeoutMs: number;
  /** Told when an object became ready, and what the others wait for when that changes. */
  progress(text: string): void;
}

const LOOK_MS = 500;

/** Throws E_INSTALL_NOT_READY after the deadline, with what each object still waits for. */
export async function waitReady(client: ApiClient, refs: readonly ObjectRef[], { timeoutMs, progress }: WaitOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const waiting = new Map(refs.filter(({ kind }) => kind in READY).map((ref) => [ref, '']));
  for (;;) {
    for (const [ref, before] of waiting) {
      const live = await readObject(client, ref);
      const why = live === undefined ? 'it is not there' : READY[ref.kind]?.(live);
      if (why === undefined) {
        waiting.delete(ref);
        // Definitions are served at once: not worth a line each.
        if (ref.kind !== 'CustomResourceDefinition') progress(`${refText(ref)} is ready`);
      } else if (why !== before) {
        waiting.set(ref, why);
        if (ref.kind !== 'CustomResourceDefinition') progress(`${refText(ref)}: ${why}`);
      }
    }
    if (waiting.size === 0) return;
    if (performance.now() > deadline) break;
    await sleep(LOOK_MS);
  }
  throw new FairleadError('E_INSTALL_NOT_READY', `not all is ready after ${timeoutMs / 1000} s; everything was applied, and stays`, {
    problems: [...waiting].map(([ref, why]) => ({ severity: 'error', rule: 'install/not-ready', message: why, origin: refText(ref) })),
    next: `See why with \`kubectl describe\` and \`kubectl get events\` in the namespace, or wait longer with --timeout.`,
  });
}

type Ready = (live: LiveObject) => string | undefined;

interface DaemonSetStatus {
  observedGeneration?: number;
  desiredNumberScheduled?: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
}

interface DeploymentStatus {
  observedGeneration?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  replicas?: number;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

/** Why an object is not ready; undefined when it is. */
const READY: Readonly<Record<string, Ready>> = {
  CustomResourceDefinition: ({ status }) =>
    ((status ?? {}) as DeploymentStatus).conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
      ? undefined
      : 'it is not served yet',
  // As kubectl rollout status: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
  Deployment(live) {
    const status = (live['status'] ?? {}) as DeploymentStatus;
    const wanted = (live['spec'] as { replicas?: number }).replicas ?? 1;
    const { generation = 0 } = live.metadata as { generation?: number };
    const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
    if (observedGeneration < generation) return 'no controller has seen it yet';
    const stuck = status.conditions?.find(
      ({ type, status, reason }) => type === 'Progressing' && status === 'False' && reason !== undefined,
    );
    const failed = stuck === undefined ? '' : `; ${stuck.message ?? stuck.reason}`;
    if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} pods are new${failed}`;
    if (replicas > updatedReplicas) return `${replicas - updatedReplicas} old pods are left${failed}`;
    if (availableReplicas < updatedReplicas) return `${availableReplicas} of ${updatedReplicas} pods are ready${failed}`;
    return undefined;
  },
  // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus
  DaemonSet(live) {
    const status = (live['status'] ?? {}) as DaemonSetStatus;
    const { generation = 0 } = live.metadata as { generation?: number };
    const { observedGeneration = 0, desiredNumberScheduled: wanted = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
    if (observedGeneration < generation) return 'no controller has seen it yet';
    if (updatedNumberScheduled < wanted) return `it is new on ${updatedNumberScheduled} of ${wanted} nodes`;
    if (numberAvailable < wanted) return `it is ready on ${numberAvailable} of ${wanted} nodes`;
    return undefined;
  },
};
