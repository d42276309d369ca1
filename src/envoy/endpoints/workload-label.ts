import type { Endpoint } from '../../mesh/types.ts';

type Labels = Readonly<Record<string, string>>;

function firstOf(labels: Labels, keys: readonly string[]): string | undefined {
  for (const key of keys) if (Object.hasOwn(labels, key) && labels[key]) return labels[key];
  return undefined;
}

/** The service that a workload belongs to in telemetry: Istio's labels, else the workload's own name. */
export function canonicalService(labels: Labels, workload: string): string {
  return firstOf(labels, ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app']) ?? workload;
}

/** The version of it that a workload runs; `latest` when no label says. */
export function canonicalRevision(labels: Labels): string {
  return firstOf(labels, ['service.istio.io/canonical-revision', 'app.kubernetes.io/version', 'version']) ?? 'latest';
}

/** `filter_metadata.istio.workload` of an endpoint: `workload;namespace;canonical service;canonical revision;cluster id`. */
export function workloadLabel(endpoint: Pick<Endpoint, 'labels' | 'workload'>): string {
  const { labels, workload } = endpoint;
  const revision = canonicalRevision(labels);
  const cluster = firstOf(labels, ['topology.istio.io/cluster']) ?? '';
  return `${workload.name};${workload.namespace};${canonicalService(labels, workload.name)};${revision === 'latest' ? '' : revision};${cluster}`;
}
