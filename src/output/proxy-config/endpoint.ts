import type { ClustersJson } from '#envoy-api/envoy/admin/v3/clusters_pb.js';
import type { AddressJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Table } from '../table.ts';
import { byKeys } from './order.ts';

export interface EndpointFilters {
  address?: string | undefined;
  port?: number | undefined;
  /** The whole name of a cluster. */
  cluster?: string | undefined;
  /** HEALTHY, UNHEALTHY, …, in any case. */
  status?: string | undefined;
}

/** One endpoint of one cluster, from whichever source. */
interface Row {
  address: string;
  port: number;
  /** As shown: `ip:port`, `unix://path` or `envoy://<listener>/<id>`. */
  shown: string;
  status: string;
  /** Ejected by outlier detection. */
  ejected: boolean;
  locality: string;
  cluster: string;
}

function addressOf(address: AddressJson | undefined): Pick<Row, 'address' | 'port' | 'shown'> {
  const { socketAddress: socket, pipe, envoyInternalAddress: internal } = address ?? {};
  if (socket) {
    const [host, port] = [socket.address ?? '', socket.portValue ?? 0];
    return { address: host, port, shown: `${host.includes(':') ? `[${host}]` : host}:${port}` };
  }
  if (pipe) return { address: `unix://${pipe.path ?? ''}`, port: 0, shown: `unix://${pipe.path ?? ''}` };
  const name = internal?.serverListenerName ?? '';
  return internal
    ? { address: `envoy://${name}`, port: 0, shown: `envoy://${name}/${internal.endpointId ?? ''}` }
    : { address: '', port: 0, shown: '' };
}

function rowsOfAssignments(assignments: readonly ClusterLoadAssignmentJson[]): Row[] {
  return assignments.flatMap((assignment) =>
    (assignment.endpoints ?? []).flatMap((group) => {
      const { region = '', zone = '', subZone = '' } = group.locality ?? {};
      const locality = subZone ? `${region}/${zone}/${subZone}` : zone ? `${region}/${zone}` : region;
      return (group.lbEndpoints ?? []).map((e) => ({
        ...addressOf(e.endpoint?.address),
        status: String(e.healthStatus ?? 'UNKNOWN'),
        ejected: false,
        locality,
        cluster: assignment.clusterName ?? '',
      }));
    }),
  );
}

function rowsOfClusters(clusters: ClustersJson): Row[] {
  return (clusters.clusterStatuses ?? []).flatMap((status) =>
    (status.hostStatuses ?? []).map((host) => ({
      ...addressOf(host.address),
      status: String(host.healthStatus?.edsHealthStatus ?? 'UNKNOWN'),
      ejected: host.healthStatus?.failedOutlierCheck === true,
      locality: '',
      cluster: status.name ?? '',
    })),
  );
}

function select(rows: readonly Row[], filters: EndpointFilters): Row[] {
  const { address, port, cluster, status } = filters;
  return rows
    .filter(
      (r) =>
        (address === undefined || r.address === address) &&
        (port === undefined || r.port === port) &&
        (cluster === undefined || r.cluster === cluster) &&
        (status === undefined || r.status === status.toUpperCase()),
    )
    .sort(
      byKeys(
        (r) => r.address,
        (r) => r.port,
        (r) => r.cluster,
      ),
    );
}

/**
 * `proxy-config endpoint`: what the proxy sends to, from `/clusters?format=json`, or as configured. An endpoint of which nothing is known
 * counts as healthy, as it does in a proxy.
 */
export function endpointTable(source: ClustersJson | readonly ClusterLoadAssignmentJson[], filters: EndpointFilters = {}): Table {
  const rows = Array.isArray(source) ? rowsOfAssignments(source) : rowsOfClusters(source as ClustersJson);
  const known = rows.map((r) => (r.status === 'UNKNOWN' ? { ...r, status: 'HEALTHY' } : r));
  return {
    columns: ['ENDPOINT', 'STATUS', 'OUTLIER CHECK', 'CLUSTER'],
    rows: select(known, filters).map((r) => [r.shown, r.status, r.ejected ? 'FAILED' : 'OK', r.cluster]),
  };
}

/** `proxy-config eds`: the configured endpoints with their locality. */
export function edsTable(assignments: readonly ClusterLoadAssignmentJson[], filters: EndpointFilters = {}): Table {
  return {
    columns: ['NAME', 'STATUS', 'LOCALITY', 'CLUSTER'],
    rows: select(rowsOfAssignments(assignments), filters).map((r) => [r.shown, r.status, r.locality, r.cluster]),
  };
}

/** The load assignments of the clusters that pass, without the endpoints that do not: for JSON and YAML. */
export function selectAssignments(
  assignments: readonly ClusterLoadAssignmentJson[],
  filters: EndpointFilters = {},
): ClusterLoadAssignmentJson[] {
  return assignments.filter((a) => select(rowsOfAssignments([a]), filters).length > 0).sort(byKeys((a) => a.clusterName ?? ''));
}

/** The statuses of the clusters with an endpoint that passes: for JSON and YAML. */
export function selectStatuses(clusters: ClustersJson, filters: EndpointFilters = {}): NonNullable<ClustersJson['clusterStatuses']> {
  return (clusters.clusterStatuses ?? [])
    .filter((status) => select(rowsOfClusters({ clusterStatuses: [status] }), filters).length > 0)
    .sort(byKeys((s) => s.name ?? ''));
}
