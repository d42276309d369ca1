import { splitAddress } from '../../../src/upstream/host-address.ts';
import { thresholdsOf } from '../../../src/upstream/thresholds.ts';
import type { UpstreamCluster } from './cluster.ts';
import type { UpstreamHost } from './host.ts';

/** Envoy's envoy.admin.v3.Clusters as protobuf JSON. */
export interface ClustersDump {
  clusterStatuses: ClusterStatus[];
}

export interface ClusterStatus {
  name: string;
  observabilityName: string;
  addedViaApi?: boolean;
  edsServiceName?: string;
  successRateEjectionThreshold?: { value: number };
  localOriginSuccessRateEjectionThreshold?: { value: number };
  hostStatuses?: HostStatus[];
  circuitBreakers: { thresholds: Record<string, unknown>[] };
}

export interface HostStatus {
  address: { socketAddress: { address: string; portValue: number } } | { pipe: { path: string } };
  stats: { name: string; value?: string; type?: 'GAUGE' }[];
  healthStatus: { failedOutlierCheck?: boolean; edsHealthStatus: string };
  weight: number;
  hostname?: string;
  priority?: number;
  successRate?: { value: number };
  localOriginSuccessRate?: { value: number };
  locality: { region?: string; zone?: string; subZone?: string };
}

/** The state of all clusters, in the order in which they came. */
export function dumpClusters(clusters: Iterable<UpstreamCluster>): ClustersDump {
  return { clusterStatuses: [...clusters].map(clusterStatus) };
}

function clusterStatus(cluster: UpstreamCluster): ClusterStatus {
  const { config, detector } = cluster;
  const hosts = [...cluster.hosts].map(hostStatus);
  return {
    name: cluster.name,
    observabilityName: config.altStatName || cluster.name,
    addedViaApi: true,
    ...(config.edsClusterConfig?.serviceName && { edsServiceName: config.edsClusterConfig.serviceName }),
    ...(detector && detector.external.threshold >= 0 && { successRateEjectionThreshold: { value: detector.external.threshold } }),
    ...(detector &&
      detector.localOrigin.threshold >= 0 && { localOriginSuccessRateEjectionThreshold: { value: detector.localOrigin.threshold } }),
    ...(hosts.length > 0 && { hostStatuses: hosts }),
    circuitBreakers: {
      thresholds: (['DEFAULT', 'HIGH'] as const).map((priority) => {
        const t = thresholdsOf(config.circuitBreakers, priority);
        return {
          ...(priority === 'HIGH' && { priority }),
          maxConnections: t.connections,
          maxPendingRequests: t.pending,
          maxRequests: t.requests,
          maxRetries: t.retries,
        };
      }),
    },
  };
}

function hostStatus(host: UpstreamHost): HostStatus {
  const { stats, monitor } = host;
  const counter = (name: string, value: number): HostStatus['stats'][number] => ({ name, ...(value !== 0 && { value: String(value) }) });
  const gauge = (name: string, value: number): HostStatus['stats'][number] => ({ type: 'GAUGE', ...counter(name, value) });
  return {
    address: addressOf(host),
    stats: [
      counter('cx_connect_fail', stats.cxConnectFail),
      counter('cx_total', stats.cxTotal),
      counter('rq_error', stats.rqError),
      counter('rq_success', stats.rqSuccess),
      counter('rq_timeout', stats.rqTimeout),
      counter('rq_total', stats.rqTotal),
      gauge('cx_active', stats.cxActive),
      gauge('rq_active', stats.rqActive),
      gauge('rq_pending_active', stats.rqPendingActive),
    ],
    healthStatus: {
      ...(host.ejected && { failedOutlierCheck: true }),
      // Envoy: an endpoint without a status is healthy.
      edsHealthStatus: host.edsHealth === 'UNKNOWN' || typeof host.edsHealth !== 'string' ? 'HEALTHY' : host.edsHealth,
    },
    weight: host.weight,
    ...(host.hostname !== '' && { hostname: host.hostname }),
    ...(host.priority !== 0 && { priority: host.priority }),
    ...(monitor && monitor.external.shown >= 0 && { successRate: { value: monitor.external.shown } }),
    ...(monitor && monitor.localOrigin.shown >= 0 && { localOriginSuccessRate: { value: monitor.localOrigin.shown } }),
    locality: {
      ...(host.region !== '' && { region: host.region }),
      ...(host.zone !== '' && { zone: host.zone }),
      ...(host.subZone !== '' && { subZone: host.subZone }),
    },
  };
}

function addressOf(host: UpstreamHost): HostStatus['address'] {
  if (host.dial.kind === 'pipe') return { pipe: { path: host.dial.path } };
  const found = splitAddress(host.address);
  return { socketAddress: { address: found?.host ?? host.address, portValue: found?.port ?? 0 } };
}
