/** Pods whose proxies are asked: found by name, by the workload that they are of, or all of a cluster. */
import { FairleadError } from '../errors.ts';
import { ApiStatusError } from './api-error.ts';
import type { ApiClient } from './client.ts';
import { listObjects } from './list.ts';

/** What of a pod is looked at. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `Running`, `Pending`, …; `Terminating` for one that is being deleted. */
  readonly phase: string;
  /** Why it is not running, where its status says so. */
  readonly reason: string | undefined;
  readonly ready: boolean;
  readonly containers: readonly ContainerFacts[];
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly ready: boolean;
  readonly restarts: number;
  /** `running`, `waiting: CrashLoopBackOff`, `terminated: OOMKilled`; undefined where nothing is told. */
  readonly state: string | undefined;
}

/** A proxy of a cluster, as the command line names it. */
export interface PodAddress {
  /** `POD[.NAMESPACE]` or `TYPE/NAME[.NAMESPACE]`. */
  readonly pod: string;
  /** undefined: the context’s. */
  readonly namespace: string | undefined;
  /** undefined: the kubeconfig’s current one. */
  readonly context: string | undefined;
  readonly via: 'port-forward' | 'exec';
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

type Json = Record<string, unknown>;

interface PodJson {
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: { nodeName?: string; containers?: ContainerJson[]; initContainers?: (ContainerJson & { restartPolicy?: string })[] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: { type: string; status: string; message?: string; reason?: string }[];
    containerStatuses?: ContainerStatusJson[];
    initContainerStatuses?: ContainerStatusJson[];
  };
}

interface ContainerJson {
  name: string;
  image?: string;
  args?: string[];
}

interface ContainerStatusJson {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: { running?: object; waiting?: { reason?: string }; terminated?: { reason?: string } };
}

/** Reads a pod as the API server gives it. */
export function podFacts(object: Json): PodFacts {
  const { metadata = {}, spec = {}, status = {} } = object as PodJson;
  const condition = (type: string) => status.conditions?.find((c) => c.type === type);
  const waiting = [condition('PodScheduled'), condition('Ready')].find((c) => c?.status === 'False');
  const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
  // Sidecars that are init containers run beside the others: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
  const native = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    node: spec.nodeName,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    phase: metadata.deletionTimestamp === undefined ? (status.phase ?? 'Unknown') : 'Terminating',
    reason: status.reason ?? status.message ?? waiting?.message ?? waiting?.reason,
    ready: condition('Ready')?.status === 'True',
    containers: [...(spec.containers ?? []), ...native].map(({ name, image = '', args = [] }) => {
      const own = statuses.find((s) => s.name === name);
      const { running, waiting: waits, terminated } = own?.state ?? {};
      const state = running ? 'running' : waits ? `waiting: ${waits.reason}` : terminated ? `terminated: ${terminated.reason}` : undefined;
      return { name, image, args, ready: own?.ready ?? false, restarts: own?.restartCount ?? 0, state };
    }),
  };
}

/** Workloads that have pods, by the words that kubectl takes for them. */
const WORKLOADS: Readonly<Record<string, { root: string; plural: string; kind: string }>> = {
  ...named(['deployment', 'deployments', 'deploy'], '/apis/apps/v1', 'deployments', 'Deployment'),
  ...named(['statefulset', 'statefulsets', 'sts'], '/apis/apps/v1', 'statefulsets', 'StatefulSet'),
  ...named(['daemonset', 'daemonsets', 'ds'], '/apis/apps/v1', 'daemonsets', 'DaemonSet'),
  ...named(['replicaset', 'replicasets', 'rs'], '/apis/apps/v1', 'replicasets', 'ReplicaSet'),
  ...named(['job', 'jobs'], '/apis/batch/v1', 'jobs', 'Job'),
  ...named(['service', 'services', 'svc'], '/api/v1', 'services', 'Service'),
};

function named(words: readonly string[], root: string, plural: string, kind: string) {
  return Object.fromEntries(words.map((word) => [word, { root, plural, kind }]));
}

/** What a user named: `POD[.NAMESPACE]` or `TYPE/NAME[.NAMESPACE]`. */
export interface PodTarget {
  /** undefined: a pod. */
  readonly type: string | undefined;
  readonly name: string;
  readonly namespace: string | undefined;
}

/** Reads a target; the last dot begins the namespace, as with istioctl. Throws E_USAGE. */
export function parsePodTarget(text: string): PodTarget {
  const [, type, rest = ''] = /^(?:([^/]+)\/)?([^/]+)$/.exec(text) ?? [];
  const known = type === undefined || type === 'pod' || type === 'pods' || type === 'po' || Object.hasOwn(WORKLOADS, type.toLowerCase());
  if (rest === '' || !known)
    throw new FairleadError('E_USAGE', `${JSON.stringify(text)} names no pod and no workload`, {
      next: 'Write POD[.NAMESPACE], or TYPE/NAME[.NAMESPACE] with deployment, statefulset, daemonset, replicaset, job or service for the type.',
    });
  const dot = rest.lastIndexOf('.');
  const isPod = type === undefined || type.startsWith('po');
  return {
    type: isPod ? undefined : type?.toLowerCase(),
    name: dot === -1 ? rest : rest.slice(0, dot),
    namespace: dot === -1 ? undefined : rest.slice(dot + 1),
  };
}

/**
 * The pod that is meant; of a workload one that is ready, else one that runs. Throws E_POD_UNKNOWN with the names that come near,
 * E_CLUSTER_FORBIDDEN, E_CLUSTER_UNREACHABLE.
 *
 * @param namespace where a target without one is looked for
 */
export async function findPod(client: ApiClient, target: PodTarget, namespace: string): Promise<PodFacts> {
  const at = target.namespace ?? namespace;
  const pods = `/api/v1/namespaces/${encodeURIComponent(at)}/pods`;
  if (target.type === undefined) {
    const found = await orMissing(client.request(`${pods}/${encodeURIComponent(target.name)}`));
    if (found !== undefined) return podFacts(found as Json);
    throw await noPod(client, target.name, at);
  }
  const { root, plural, kind } = WORKLOADS[target.type] as (typeof WORKLOADS)[string];
  const path = `${root}/namespaces/${encodeURIComponent(at)}/${plural}`;
  const workload = (await orMissing(client.request(`${path}/${encodeURIComponent(target.name)}`))) as { spec?: Json } | undefined;
  if (workload === undefined)
    throw new FairleadError('E_POD_UNKNOWN', `there is no ${kind} ${at}/${target.name}`, {
      next: 'Name another namespace with -n NAMESPACE, or NAME.NAMESPACE.',
    });
  const selector = selectorText(kind, workload.spec ?? {});
  const all = selector === '' ? [] : await listPods(client, { namespace: at, selector });
  const usable = all.filter(({ phase }) => phase === 'Running');
  const chosen = usable.find(({ ready }) => ready) ?? usable[0] ?? all[0];
  if (chosen !== undefined) return chosen;
  throw new FairleadError('E_POD_UNKNOWN', `${kind} ${at}/${target.name} has no pods`, {
    next: selector === '' ? 'It has no selector.' : 'See why none was made: its events, its replicas.',
  });
}

/** Pods of a namespace, or of all; sorted. Throws E_CLUSTER_FORBIDDEN, E_CLUSTER_UNREACHABLE. */
export async function listPods(client: ApiClient, choice: { namespace?: string | undefined; selector?: string }): Promise<PodFacts[]> {
  let found: PodFacts[] = [];
  const path = choice.namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(choice.namespace)}/pods`;
  await listObjects(
    client,
    path,
    { labelSelector: choice.selector },
    {
      begin: () => {
        found = [];
      },
      add: (object) => void found.push(podFacts(object)),
    },
  );
  const key = ({ namespace, name }: PodFacts): string => `${namespace}/${name}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

interface SelectorJson {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
function selectorText(kind: string, spec: Json): string {
  const equal = (labels: Record<string, string> = {}): string[] => Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (kind === 'Service') return equal(spec['selector'] as Record<string, string> | undefined).join(',');
  const { matchLabels, matchExpressions = [] } = (spec['selector'] ?? {}) as SelectorJson;
  const words = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...equal(matchLabels), ...words].join(',');
}

async function orMissing(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiStatusError && error.status === 404) return undefined;
    throw error;
  }
}

async function noPod(client: ApiClient, name: string, namespace: string): Promise<FairleadError> {
  const there = await listPods(client, { namespace }).catch(() => []);
  const near = there.map((pod) => pod.name).filter((other) => other.startsWith(name) || name.startsWith(other.replace(/-[^-]+$/, '')));
  const next =
    near.length > 0
      ? `There are: ${near.slice(0, 10).join(', ')}. A pod of a workload is named by deployment/NAME.`
      : 'Name another namespace with -n NAMESPACE or POD.NAMESPACE, or a workload as deployment/NAME.';
  return new FairleadError('E_POD_UNKNOWN', `there is no pod ${namespace}/${name}`, { next });
}
