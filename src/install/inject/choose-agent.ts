/** Who reads the mesh for a sidecar: the agent of its node, or the sidecar itself. */
import { AGENT } from './names.ts';
import { annotationAt, annotationsOfPod, type PodJson, type Remark } from './pod.ts';
import type { InjectSettings } from './settings.ts';

/** Where a pod is to run. */
export interface Place {
  namespace: string;
  /** Its Pod Security is enforced, and no pod in it may have a folder of its node: `baseline` and `restricted`. */
  strict: boolean;
}

export type SidecarAgent = 'node' | 'pod';

/** `why` in a sentence. */
export type AgentChoice = { agent: SidecarAgent; why: string } | { wrong: Remark };

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/ Which levels forbid hostPath. */
export const POD_SECURITY = 'pod-security.kubernetes.io/enforce';
export const STRICT_LEVELS: readonly string[] = ['baseline', 'restricted'];

/** Whether labels of a namespace enforce a level that forbids folders of the node. */
export const isStrict = (labels: Readonly<Record<string, string>>): boolean => STRICT_LEVELS.includes(labels[POD_SECURITY] ?? '');

const FORBIDDEN = 'Pod Security of its namespace forbids folders of the node, in which the socket of the node’s agent is';

export function chooseAgent(pod: PodJson, { namespace, strict }: Place, settings: InjectSettings): AgentChoice {
  const { [AGENT]: said } = annotationsOfPod(pod);
  const at = annotationAt(AGENT);
  if (said !== undefined && said !== 'node' && said !== 'pod')
    return { wrong: { text: `the annotation ${AGENT} is node or pod, not ${JSON.stringify(said)}`, at } };
  if (said === 'node' && strict) return { wrong: { text: `the annotation ${AGENT} is node: ${FORBIDDEN}`, at } };
  const wanted = said ?? settings.agent;
  const why = said === undefined ? `injection.agent is ${wanted}` : `the annotation ${AGENT} is ${wanted}`;
  if (wanted === 'node' && !strict) return { agent: 'node', why };
  const reason = wanted === 'node' ? FORBIDDEN : why;
  const { namespaces } = settings;
  if (namespaces === undefined || namespaces.includes(namespace) || namespaces.includes('*')) return { agent: 'pod', why: reason };
  return {
    wrong: {
      text: `its sidecar would read the mesh itself and may not: ${namespace} is not among injection.namespaces of the installation (${reason})`,
      at: said === undefined ? [] : at,
    },
  };
}

/** Of a pod that has a sidecar; undefined when it is another mesh's. */
export function agentOf({ spec }: PodJson): SidecarAgent | undefined {
  const names = new Set((spec?.volumes ?? []).map(({ name }) => name));
  if (names.has('fairlead-agent')) return 'node';
  return names.has('fairlead-api-access') ? 'pod' : undefined;
}
