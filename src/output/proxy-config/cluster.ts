import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { Table } from '../table.ts';
import { managedBy } from './config-path.ts';
import { byKeys } from './order.ts';

export interface ClusterFilters {
  /** The service's full host name. */
  fqdn?: string | undefined;
  port?: number | undefined;
  subset?: string | undefined;
  /** `inbound` or `outbound`, in any case. */
  direction?: string | undefined;
}

interface NameParts {
  host: string;
  /** Empty when the name is not of Istio's form. */
  port: string;
  subset: string;
  direction: string;
}

/** `outbound|80|v1|host`, else the whole name as the host. */
function partsOf(cluster: ClusterJson): NameParts {
  const name = cluster.name ?? '';
  const parts = name.split('|');
  if (parts.length !== 4) return { host: name, port: '', subset: '', direction: '' };
  const [direction, port, subset, host] = parts as [string, string, string, string];
  return { host, port, subset, direction };
}

/** The clusters that pass the filters, by host, subset, port and direction. */
export function selectClusters(clusters: readonly ClusterJson[], filters: ClusterFilters = {}): ClusterJson[] {
  const { fqdn, port, subset, direction } = filters;
  return clusters
    .map((cluster) => ({ cluster, parts: partsOf(cluster) }))
    .filter(
      ({ parts }) =>
        (fqdn === undefined || parts.host.toLowerCase() === fqdn.toLowerCase()) &&
        (port === undefined || parts.port === String(port)) &&
        (subset === undefined || parts.subset === subset) &&
        (direction === undefined || parts.direction === direction.toLowerCase()),
    )
    .sort(
      byKeys(
        (c) => c.parts.host,
        (c) => c.parts.subset,
        (c) => Number(c.parts.port),
        (c) => c.parts.direction,
      ),
    )
    .map(({ cluster }) => cluster);
}

/** `proxy-config cluster`: one row for each cluster. */
export function clusterTable(clusters: readonly ClusterJson[], filters: ClusterFilters = {}): Table {
  return {
    columns: ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE'],
    rows: selectClusters(clusters, filters).map((cluster) => {
      const { host, port, subset, direction } = partsOf(cluster);
      // A custom type (dynamic forward proxy) leaves the enum at its default.
      return [host, port || '-', subset || '-', direction || '-', String(cluster.type ?? 'STATIC'), managedBy(cluster.metadata)];
    }),
  };
}
