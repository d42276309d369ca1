import type { HomeCluster } from '../config/resource.ts';
import type { SourceObject } from '../config/source-object.ts';
import { CLUSTER_ID } from '../mesh/locality.ts';

/** What the objects of a cluster carry of it; undefined when that is nothing that a mesh of one cluster would not take for granted. */
export function homeCluster(id: string | undefined, network: string, remote: boolean): HomeCluster | undefined {
  if (!remote && network === '' && (id ?? CLUSTER_ID) === CLUSTER_ID) return undefined;
  return { id: id ?? CLUSTER_ID, network, remote };
}

/** The network of a cluster: a label of Istio's namespace. https://istio.io/latest/docs/setup/install/multicluster/multi-primary/ */
export function networkOf(namespaces: Iterable<Pick<SourceObject, 'value'>>, istioNamespace: string): string {
  for (const { value } of namespaces) {
    const { name, labels } = value['metadata'] as { name: string; labels?: Record<string, string> };
    if (name === istioNamespace) return labels?.['topology.istio.io/network'] ?? '';
  }
  return '';
}
