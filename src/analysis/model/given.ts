import type { AnalysisModel } from './analysis-model.ts';
import { isClusterLocal } from './hosts.ts';

/**
 * What the configuration shows at all. A folder often holds the mesh's own kinds only: then a Service that is not there is most likely
 * somewhere else, and nothing is said. With `complete` everything counts as given.
 */
export interface Given {
  /** Real Pods: a dump of a cluster, or a test of one. */
  readonly pods: boolean;
  readonly secrets: boolean;
  readonly namespaces: boolean;
  readonly services: boolean;
  /** Whether a host that is not found would be here if it existed. */
  hosts(host: string): boolean;
  /** Whether workloads of the namespace would be here if they existed; without a namespace, any. */
  workloads(namespace?: string): boolean;
}

/** Looks what kinds there are. */
export function findGiven(model: AnalysisModel, complete: boolean): Given {
  const has = (...kinds: string[]): boolean => complete || kinds.some((kind) => model.of(kind).length > 0);
  const services = has('Service');
  const kubernetes = services || has('Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Endpoints', 'EndpointSlice');
  const registry = kubernetes || has('ServiceEntry');
  const pods = has('Pod');
  return {
    pods,
    secrets: has('Secret'),
    namespaces: has('Namespace'),
    services,
    hosts: (host) => (isClusterLocal(host) ? kubernetes : registry),
    workloads(namespace) {
      if (pods) return true;
      return namespace === undefined ? model.workloads.length > 0 : model.workloadSearch.select({}, namespace).length > 0;
    },
  };
}
