import { hostAddress } from '../../../src/upstream/host-address.ts';
import type { ClusterStatus, ClustersDump, HostStatus } from './dump.ts';

/** Envoy's `/clusters` as text: `name::field::value` lines. Takes what the cluster manager's `dump()` gives. */
export function clustersText(dump: unknown): string {
  return (dump as ClustersDump).clusterStatuses.map(clusterLines).join('');
}

function clusterLines(cluster: ClusterStatus): string {
  const line = (field: string, value: unknown): string => `${cluster.name}::${field}::${value}\n`;
  let text = line('observability_name', cluster.observabilityName);
  for (const threshold of cluster.circuitBreakers.thresholds) {
    const priority = threshold['priority'] === 'HIGH' ? 'high_priority' : 'default_priority';
    text += line(`${priority}::max_connections`, threshold['maxConnections']);
    text += line(`${priority}::max_pending_requests`, threshold['maxPendingRequests']);
    text += line(`${priority}::max_requests`, threshold['maxRequests']);
    text += line(`${priority}::max_retries`, threshold['maxRetries']);
  }
  text += line('added_via_api', cluster.addedViaApi ?? false);
  if (cluster.edsServiceName !== undefined) text += line('eds_service_name', cluster.edsServiceName);
  for (const host of cluster.hostStatuses ?? []) text += hostLines(host, line);
  return text;
}

function hostLines(host: HostStatus, line: (field: string, value: unknown) => string): string {
  const address =
    'pipe' in host.address ? host.address.pipe.path : hostAddress(host.address.socketAddress.address, host.address.socketAddress.portValue);
  const stats = [...host.stats].sort((a, b) => (a.name < b.name ? -1 : 1));
  const fields: [string, unknown][] = [
    ...stats.map((s): [string, unknown] => [s.name, s.value ?? 0]),
    ['hostname', host.hostname ?? ''],
    ['health_flags', healthFlags(host)],
    ['weight', host.weight],
    ['region', host.locality.region ?? ''],
    ['zone', host.locality.zone ?? ''],
    ['sub_zone', host.locality.subZone ?? ''],
    ['canary', false],
    ['priority', host.priority ?? 0],
    ['success_rate', host.successRate?.value ?? -1],
    ['local_origin_success_rate', host.localOriginSuccessRate?.value ?? -1],
  ];
  return fields.map(([field, value]) => line(`${address}::${field}`, value)).join('');
}

/** Envoy: HostUtility::healthFlagsToString. */
function healthFlags({ healthStatus }: HostStatus): string {
  let flags = healthStatus.failedOutlierCheck ? '/failed_outlier_check' : '';
  switch (healthStatus.edsHealthStatus) {
    case 'UNHEALTHY':
    case 'TIMEOUT':
      flags += '/failed_eds_health';
      break;
    case 'DEGRADED':
      flags += '/degraded_eds_health';
      break;
    case 'DRAINING':
      flags += '/eds_status_draining';
      break;
  }
  return flags === '' ? 'healthy' : flags;
}
