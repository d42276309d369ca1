import { canonicalRevision, canonicalService } from '../../mesh/canonical.ts';
import { labelOf } from '../../mesh/labels.ts';
import { CLUSTER_ID } from '../../mesh/locality.ts';
import type { Endpoint } from '../../mesh/types.ts';

/** `filter_metadata.istio.workload` of an endpoint: `workload;namespace;canonical service;canonical revision;cluster id`. */
export function workloadLabel(endpoint: Pick<Endpoint, 'labels' | 'workload'>): string {
  const { labels, workload } = endpoint;
  const revision = canonicalRevision(labels);
  const cluster = labelOf(labels, 'topology.istio.io/cluster') ?? CLUSTER_ID;
  return `${workload.name};${workload.namespace};${canonicalService(labels, workload.name)};${revision === 'latest' ? '' : revision};${cluster}`;
}
