import { type Labels, labelOf } from './labels.ts';

/** Istio's canonical service name of a workload: label by label, then the workload's name. */
export function canonicalService(labels: Labels, workloadName: string): string {
  return (
    labelOf(labels, 'service.istio.io/canonical-name') ??
    labelOf(labels, 'app.kubernetes.io/name') ??
    labelOf(labels, 'app') ??
    workloadName
  );
}

/** Istio's canonical revision of a workload: label by label, then `latest`. */
export function canonicalRevision(labels: Labels): string {
  return (
    labelOf(labels, 'service.istio.io/canonical-revision') ??
    labelOf(labels, 'app.kubernetes.io/version') ??
    labelOf(labels, 'version') ??
    'latest'
  );
}

/**
 * The proxy's service cluster (`node.cluster`): the configured name unless it is the default `istio-proxy`; else `<app label>.<ns>`;
 * else `<workload>.<ns>`; else `istio-proxy.<ns>`.
 */
export function serviceCluster(configured: string | undefined, proxy: { labels: Labels; namespace: string; workloadName: string }): string {
  if (configured && configured !== 'istio-proxy') return configured;
  const { labels, namespace, workloadName } = proxy;
  const app =
    labelOf(labels, 'app') ??
    labelOf(labels, 'app.kubernetes.io/name') ??
    labelOf(labels, 'service.istio.io/canonical-name') ??
    workloadName;
  const name = app || 'istio-proxy';
  return namespace === '' ? name : `${name}.${namespace}`;
}
