import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { type EndpointSpec, endpointSpecs } from '../upstream/endpoint-specs.ts';
import { jsonNumber } from '../upstream/json-number.ts';
import { priorityLoad } from '../upstream/priority-load.ts';
import { transportOf } from './security/upstream-tls.ts';
import type { EndpointCandidate, Health } from './types.ts';
import { indexOf, type ProxyView } from './view.ts';

const HEALTH: Readonly<Record<string, Health>> = {
  HEALTHY: 'healthy',
  DEGRADED: 'degraded',
  UNHEALTHY: 'unhealthy',
  TIMEOUT: 'unhealthy',
  DRAINING: 'draining',
};

/** Envoy: what nobody has said anything about counts as healthy. */
const isHealthy = (spec: EndpointSpec): boolean => !['DEGRADED', 'UNHEALTHY', 'TIMEOUT', 'DRAINING'].includes(String(spec.health));
const isDegraded = (spec: EndpointSpec): boolean => spec.health === 'DEGRADED';
const isDraining = (spec: EndpointSpec): boolean => spec.health === 'DRAINING';
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The hosts of a cluster with each one's share of its requests, as far as priorities, localities and weights decide. */
export function candidatesOf(
  cluster: ClusterJson,
  assignment: ClusterLoadAssignmentJson | undefined,
): { candidates: EndpointCandidate[]; panic: boolean } {
  const specs = endpointSpecs(assignment);
  const priorities = Array.from({ length: Math.max(0, ...specs.map((s) => s.priority + 1)) }, (_, p) =>
    specs.filter((s) => s.priority === p),
  );
  const weighted = assignment?.policy?.weightedPriorityHealth === true;
  const weightOf = (of: readonly EndpointSpec[]): number => sum(of.map((s) => s.weight));
  const overprovisioning = jsonNumber(assignment?.policy?.overprovisioningFactor, 140);
  const load = priorityLoad(
    priorities.map((of) => ({
      total: of.length,
      excluded: of.filter(isDraining).length,
      healthy: of.filter(isHealthy).length,
      degraded: of.filter(isDegraded).length,
      weighted: weighted
        ? {
            total: weightOf(of.filter((s) => !isDraining(s))),
            healthy: weightOf(of.filter(isHealthy)),
            degraded: weightOf(of.filter(isDegraded)),
          }
        : undefined,
    })),
    panicThreshold(cluster),
    overprovisioning,
  );
  const shares = new Map<EndpointSpec, number>();
  // Envoy's random balancer does not look at weights.
  const even = cluster.lbPolicy === 'RANDOM';
  const give = (hosts: readonly EndpointSpec[], share: number): void => {
    const total = even ? hosts.length : weightOf(hosts);
    for (const host of hosts) shares.set(host, (shares.get(host) ?? 0) + (share * (even ? 1 : host.weight)) / total);
  };
  const weighLocalities = cluster.commonLbConfig?.localityWeightedLbConfig !== undefined;
  for (const [p, hosts] of priorities.entries()) {
    for (const kind of ['healthy', 'degraded'] as const) {
      const share = load[kind][p]! / 100;
      if (share === 0) continue;
      if (load.panic[p]) give(hosts, share);
      else if (weighLocalities) byLocality(hosts, kind === 'healthy' ? isHealthy : isDegraded, overprovisioning, share, give);
      else give(hosts.filter(kind === 'healthy' ? isHealthy : isDegraded), share);
    }
  }
  const candidates = specs.map((spec): EndpointCandidate => {
    const workload = (spec.metadata['istio'] as { workload?: unknown } | undefined)?.workload;
    return {
      address: spec.address,
      health: HEALTH[String(spec.health)] ?? 'unknown',
      weight: spec.weight,
      priority: spec.priority,
      locality: [spec.region, spec.zone, spec.subZone].filter((part) => part !== '').join('/'),
      share: shares.get(spec) ?? 0,
      transport: transportOf(cluster, spec.metadata).kind,
      ...(typeof workload === 'string' && workload !== '' && { workload: workload.split(';')[0]! }),
    };
  });
  return { candidates, panic: load.panic.some((panic, p) => panic && load.healthy[p]! > 0) };
}

/** The metadata of a cluster's endpoints, by their addresses. */
export function endpointMetadata(view: ProxyView, cluster: ClusterJson): ReadonlyMap<string, EndpointSpec['metadata']> {
  return new Map(endpointSpecs(assignmentOf(view, cluster)).map((spec) => [spec.address, spec.metadata]));
}

/** The load assignment that a cluster's endpoints come from. */
export function assignmentOf(view: ProxyView, cluster: ClusterJson): ClusterLoadAssignmentJson | undefined {
  if (cluster.type !== 'EDS') return cluster.loadAssignment;
  return indexOf(view).assignment(cluster.edsClusterConfig?.serviceName || (cluster.name ?? ''));
}

/** Envoy: a locality gives up share as it loses more hosts than the overprovisioning covers. */
function byLocality(
  hosts: readonly EndpointSpec[],
  fits: (spec: EndpointSpec) => boolean,
  overprovisioning: number,
  share: number,
  give: (hosts: readonly EndpointSpec[], share: number) => void,
): void {
  const localities = [...Map.groupBy(hosts, (s) => `${s.region}/${s.zone}/${s.subZone}`).values()].flatMap((all) => {
    const counted = all.filter((s) => !isDraining(s)).length;
    const live = all.filter(fits);
    if (counted === 0 || live.length === 0) return [];
    const weight = (all[0]!.localityWeight ?? 0) * Math.min(1, (overprovisioning / 100) * (live.length / counted));
    return weight > 0 ? [{ live, weight }] : [];
  });
  const total = sum(localities.map((l) => l.weight));
  // Envoy: when no locality has a weight, all of the priority's hosts are used.
  if (total === 0) give(hosts.filter(fits), share);
  for (const { live, weight } of localities) give(live, (share * weight) / total);
}

/** Percent; Envoy's default is 50, and `{}` (as Istio writes it) is 0: never. */
function panicThreshold({ commonLbConfig }: ClusterJson): number {
  const threshold = commonLbConfig?.healthyPanicThreshold;
  return threshold === undefined ? 50 : Math.min(100, Math.floor(Number(threshold.value ?? 0)));
}
