import { parseClusterName } from '../envoy/names.ts';

/** A cluster as people know it: `reviews.default.svc.cluster.local:9080 subset v1`; names that are not Istio's stay. */
export function clusterText(name: string): string {
  const parsed = parseClusterName(name);
  if (parsed === undefined) return name;
  if (parsed.host === '') return `port ${parsed.port} of the workload`;
  return `${parsed.host}:${parsed.port}${parsed.subset === '' ? '' : ` subset ${parsed.subset}`}`;
}
