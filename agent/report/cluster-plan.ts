/** What a cluster has for a report: its proxies, several at once, their logs, the mesh's objects, events and findings. */
import { SYSTEM_NAMESPACES } from '../../src/install/inject/names.ts';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { type ApiClient, createApiClient } from '../../src/kubernetes/client.ts';
import { ISTIO_NAMESPACE, readCluster } from '../../src/kubernetes/cluster-source.ts';
import { type ClusterAccess, openKubeConfig } from '../../src/kubernetes/kube-config.ts';
import { listPods, type PodFacts } from '../../src/kubernetes/pods.ts';
import { podClient } from '../remote/pod-client.ts';
import { findProxyContainer, proxyContainer } from '../remote/proxy-container.ts';
import { clusterEvents } from './cluster-events.ts';
import { findingsItem, loadObjects, objectItems } from './config-items.ts';
import { tailOf } from './log-tail.ts';
import { proxyItems } from './proxy-items.ts';
import { json, type LeftOut, type ReportItem, type ReportLimits, type ReportPlan } from './types.ts';
import { versionsItem } from './versions-item.ts';

export interface ClusterPlanOptions extends ReportLimits {
  readonly context: string | undefined;
  /** Names, or beginnings with a `*` at the end; none: all but the cluster's own. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly istioNamespace: string | undefined;
  readonly via: 'port-forward' | 'exec';
  readonly port: number;
  readonly version: string;
}

/** Where control planes are, Istio's and Fairlead's. */
const OWN_NAMESPACE = 'fairlead-system';

/** The plan of a cluster. Throws E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED; what may not be read is left out. */
export async function clusterPlan(options: ClusterPlanOptions, signal: AbortSignal): Promise<ReportPlan> {
  const access = openKubeConfig(options.context);
  const api = createApiClient(access);
  signal.addEventListener('abort', () => api.close(), { once: true });
  const isWanted = namespaceFilter(options);
  const leftOut: LeftOut[] = [];
  const notes: string[] = [];
  const version = await api.request('/version', { signal });
  const pods = (await podsOf(api, access, leftOut)).filter(({ namespace }) => isWanted(namespace));
  const reading = readCluster({
    contexts: options.context === undefined ? [] : [options.context],
    istioNamespace: options.istioNamespace,
    forAnalysis: true,
  });
  const cluster = await untilAborted(reading, signal).catch((error: Error) => {
    signal.throwIfAborted();
    leftOut.push({ path: 'cluster/', why: error.message });
    return undefined;
  });
  notes.push(...(cluster?.notes ?? []), 'Secrets are not in the report, nor is anything of them.');
  const loaded =
    cluster && (await loadObjects({ name: 'the cluster', read: async () => ({ files: [], objects: cluster.objects, problems: [] }) }));
  const there = new Set(pods.map(({ namespace }) => namespace));
  for (const name of options.include)
    if (!name.endsWith('*') && !there.has(name)) notes.push(`--include ${name}: there are no pods in it, or they may not be listed`);
  const items: ReportItem[] = [
    versionsItem(options.version),
    { path: 'cluster/version.json', what: 'version of the API server', collect: async () => json(version) },
    { path: 'cluster/pods.json', what: 'state of the pods', collect: async () => json(pods.map(stateOf)) },
    clusterEvents(api, isWanted, options.sinceMs),
    ...(loaded === undefined || cluster === undefined
      ? []
      : [
          findingsItem('cluster/findings.json', loaded, cluster.complete),
          ...objectItems('cluster/objects', loaded.resources, ({ kind, metadata }) =>
            isWanted(kind === 'Namespace' ? metadata.name : metadata.namespace),
          ),
        ]),
    ...pods.filter((pod) => findProxyContainer(pod) !== undefined).flatMap((pod) => podItems(access, pod, options, signal)),
    ...pods.flatMap((pod) => logItems(access, pod, options)),
  ];
  return { items, leftOut, notes };
}

/** What is wanted of namespaces; objects of none always are. */
function namespaceFilter({ include, exclude }: ClusterPlanOptions): (namespace: string | undefined) => boolean {
  const fits = (patterns: readonly string[], name: string): boolean =>
    patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name));
  return (namespace) => {
    if (!namespace) return true;
    if (fits(exclude, namespace)) return false;
    return include.length > 0 ? fits(include, namespace) : !SYSTEM_NAMESPACES.has(namespace);
  };
}

async function podsOf(api: ApiClient, access: ClusterAccess, leftOut: LeftOut[]): Promise<PodFacts[]> {
  try {
    return await listPods(api, {});
  } catch (error) {
    if (!isForbidden(error)) throw error;
    leftOut.push({ path: 'proxies/', why: `proxies of namespaces besides ${access.namespace}: ${error.message}` });
    return listPods(api, { namespace: access.namespace }).catch((inside: Error) => {
      leftOut.push({ path: 'proxies/', why: inside.message });
      return [];
    });
  }
}

/** Annotations may hold anything: they are in the objects, redacted. */
function stateOf({ annotations, labels, ...rest }: PodFacts): object {
  return rest;
}

function podItems(access: ClusterAccess, pod: PodFacts, options: ClusterPlanOptions, signal: AbortSignal): ReportItem[] {
  const folder = `proxies/${pod.namespace}/${pod.name}`;
  const { via, port, timeoutMs } = options;
  // Made late: of a pod that does not run it throws, and each of its items is left out.
  const client = () => podClient(access, pod, { via, port, timeoutMs, signal });
  const status: ReportItem = {
    path: `${folder}/status.json`,
    what: 'status of the agent',
    collect: async () => json(await client().getJson('/fairlead/v1/status')),
  };
  const items = proxyItems(folder, (method, path) => client().ask(method, path));
  return proxyContainer(pod).isFairlead ? [status, ...items] : items;
}

/** Logs of proxies, and of everything where the control planes are. */
function logItems(access: ClusterAccess, pod: PodFacts, options: ClusterPlanOptions): ReportItem[] {
  const { logBytes, sinceMs, timeoutMs, istioNamespace = ISTIO_NAMESPACE } = options;
  const proxy = findProxyContainer(pod);
  const isControlPlane = pod.namespace === istioNamespace || pod.namespace === OWN_NAMESPACE;
  const containers = isControlPlane ? pod.containers : proxy === undefined ? [] : [proxy];
  return containers.flatMap(({ name: container, restarts }) =>
    [false, ...(restarts > 0 ? [true] : [])].map((previous): ReportItem => {
      const { namespace, name } = pod;
      return {
        path: `logs/${namespace}/${name}/${container}${previous ? '.previous' : ''}.log`,
        what: previous ? 'log before the last restart' : 'log',
        async collect(signal) {
          const { podLogs } = await import('../../src/kubernetes/pod-logs.ts');
          const sinceSeconds = sinceMs === undefined ? undefined : sinceMs / 1000;
          const choice = { namespace, pod: name, container, previous, sinceSeconds, maxBytes: logBytes };
          const { text, cut } = await podLogs(access, choice, { signal, timeoutMs });
          return tailOf(text, cut, logBytes);
        },
      };
    }),
  );
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
