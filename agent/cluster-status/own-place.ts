import { hostname } from 'node:os';
import type { Mesh } from '../../src/mesh/types.ts';

/** Who an agent is among the agents of a cluster. */
export interface OwnPlace {
  /** Of the pod, else of the host. */
  readonly name: string;
  /** The pod that it runs in; undefined outside of a cluster. */
  readonly pod: { readonly name: string; readonly namespace: string } | undefined;
}

/**
 * From the environment: POD_NAME and POD_NAMESPACE, as a manifest sets them by the downward API, else the host's name, which in a pod of its
 * own network is the pod's.
 *
 * @param namespace the credentials', which in a pod are its service account's
 */
export function ownPlace(namespace: string, env: NodeJS.ProcessEnv = process.env): OwnPlace {
  const inside = env['POD_NAME'] !== undefined || env['KUBERNETES_SERVICE_HOST'] !== undefined;
  const name = (env['POD_NAME'] || hostname()).toLowerCase().replace(/[^a-z0-9.-]/g, '-');
  return { name, pod: inside ? { name, namespace: env['POD_NAMESPACE'] || namespace } : undefined };
}

/** The uid of a pod, as the cluster has it; undefined while it is not known. */
export function podUid(mesh: Mesh | undefined, pod: { name: string; namespace: string }): string | undefined {
  return mesh?.ofKind('Pod').find(({ metadata }) => metadata.name === pod.name && metadata.namespace === pod.namespace)?.metadata.uid;
}
