/** What all agents together say, as far as it counts now. */
import type { PodStatus } from '../../src/config/kinds/kubernetes.ts';
import { getOrMake } from '../../src/mesh/memo.ts';
import { proxyNodeOf } from '../../src/mesh/proxy-node.ts';
import type { Mesh, ProxyNode, Workload } from '../../src/mesh/types.ts';
import { podReadiness } from '../../src/mesh/workloads.ts';
import { compareDigests, decodeDigest, digestOf, type Taken } from './digest.ts';
import { RENEWED, SUMMARY_KEY } from './publisher.ts';
import { type AgentSummary, type Refusal, readSummary, type SummaryProxy } from './summary.ts';
import { versionedResources } from './versioned.ts';

/** A ConfigMap of an agent, less what is not looked at. */
export interface SummaryObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind?: string; readonly name?: string; readonly uid?: string }[];
  };
  readonly data?: Readonly<Record<string, string>>;
}

/** A proxy that an agent speaks for. */
export interface ReportedProxy {
  /** `NAME.NAMESPACE`. */
  readonly name: string;
  readonly node: ProxyNode;
  /** What it has of what is here; undefined: it has not taken anything yet, and is not counted. */
  readonly taken: Taken | undefined;
}

export interface Reports {
  readonly proxies: readonly ReportedProxy[];
  readonly refusals: readonly Refusal[];
  /** Certificates that agents of gateways have, by the name that listeners have for them. */
  readonly certificates: ReadonlySet<string>;
  /** Agents that count. */
  readonly agents: number;
}

/** Agents that are in no pod renew every five minutes. */
const STALE_MS = 900_000;

/** Whether an agent may still be as it said: its pod is there and heard of. */
function isFresh({ metadata }: SummaryObject, workloads: ReadonlyMap<string, Workload>, now: number): boolean {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'Pod');
  if (owner === undefined) {
    const renewed = Date.parse(metadata.annotations?.[RENEWED] ?? '');
    return now - renewed < STALE_MS;
  }
  const pod = workloads.get(`${owner.name}.${metadata.namespace}`);
  if (pod?.resource === undefined || pod.resource.metadata.uid !== owner.uid) return false;
  const { phase } = (pod.resource.status ?? {}) as PodStatus;
  return phase !== 'Succeeded' && phase !== 'Failed' && podReadiness(pod) !== 'not-ready';
}

const summaries = new WeakMap<SummaryObject, { summary: AgentSummary | undefined }>();

function summaryOf(object: SummaryObject): AgentSummary | undefined {
  return getOrMake(summaries, object, () => ({ summary: readSummary(object.data?.[SUMMARY_KEY]) })).summary;
}

/** The workload of a proxy that nothing in the cluster stands for. */
function impliedWorkload({ name, namespace, labels = {} }: SummaryProxy): Workload {
  return {
    name,
    namespace,
    kind: 'implied',
    labels,
    annotations: {},
    addresses: [],
    serviceAccount: '',
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    nodeName: '',
    workloadName: name,
    ports: {},
    resource: undefined,
  };
}

/** @param now milliseconds since 1970 */
export function readReports(objects: Iterable<SummaryObject>, mesh: Mesh, now: number): Reports {
  const own = versionedResources(mesh.resources);
  const digest = digestOf(own);
  const compared = new Map<string, { taken: Taken | undefined }>();
  const takenOf = (text: string): Taken | undefined =>
    getOrMake(compared, text, () => {
      const theirs = decodeDigest(text);
      return { taken: theirs && compareDigests(theirs, digest, own) };
    }).taken;
  const workloads = new Map<string, Workload>();
  for (const workload of mesh.workloads)
    if (!workload.resource?.cluster?.remote) workloads.set(`${workload.name}.${workload.namespace}`, workload);
  const proxies = new Map<string, ReportedProxy>();
  const refusals: Refusal[] = [];
  const certificates = new Set<string>();
  let agents = 0;
  for (const object of objects) {
    const summary = summaryOf(object);
    if (summary === undefined || !isFresh(object, workloads, now)) continue;
    agents++;
    refusals.push(...summary.refusals);
    for (const name of summary.certificates) certificates.add(name);
    for (const proxy of summary.proxies) {
      const name = `${proxy.name}.${proxy.namespace}`;
      const workload = proxy.labels ? impliedWorkload(proxy) : workloads.get(name);
      // Its pod is gone, and the agent has not said so yet.
      if (workload === undefined) continue;
      const text = proxy.has === undefined ? undefined : summary.digests[proxy.has];
      const node = proxyNodeOf(workload, proxy.type === 'router' ? 'router' : 'sidecar', undefined, mesh.config);
      proxies.set(proxy.labels ? `${object.metadata.name}/${name}` : name, {
        name,
        node,
        taken: text === undefined ? undefined : takenOf(text),
      });
    }
  }
  return { proxies: [...proxies.values()], refusals, certificates, agents };
}
