import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { HealthStatusJson } from '#envoy-api/envoy/config/core/v3/health_check_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { parseClusterName } from '../envoy/names.ts';
import { typeOf } from './listener.ts';
import { originOfMetadata } from './origin.ts';
import type { Destination, EndpointCandidate, Health, Limits, OutlierRules } from './types.ts';
import { indexOf, type ProxyView } from './view.ts';

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const number = (value: number | string | null | undefined, fallback: number): number =>
  value === undefined || value === null ? fallback : Number(value);
const ms = (text: string | undefined, fallback: number): number =>
  text === undefined ? fallback : Math.round(Number.parseFloat(text) * 1000);

/** Everything that is known of a cluster as a destination. */
export function destinationOf(view: ProxyView, cluster: ClusterJson): Destination {
  const name = cluster.name ?? '';
  const parsed = parseClusterName(name);
  const discovery = discoveryOf(cluster);
  const known = discovery !== 'EDS' || view.endpointsKnown;
  const { candidates, panic } = candidatesOf(cluster, assignmentOf(view, cluster));
  const origin =
    originOfMetadata(cluster.metadata, view.locator) ?? (parsed === undefined ? undefined : view.locator?.service(parsed.host));
  const outlier = outlierRules(cluster);
  return {
    cluster: name,
    ...(parsed !== undefined && parsed.host !== '' && { service: parsed.host }),
    ...(parsed !== undefined && { port: parsed.port }),
    ...(parsed !== undefined && parsed.subset !== '' && { subset: parsed.subset }),
    discovery,
    balancing: cluster.lbPolicy ?? 'ROUND_ROBIN',
    protocol: protocolOf(cluster),
    ...transportOf(cluster),
    endpointsKnown: known,
    endpoints: candidates,
    panic,
    limits: limitsOf(cluster),
    ...(outlier !== undefined && { outlierDetection: outlier }),
    ...(origin !== undefined && { origin }),
  };
}

function discoveryOf(cluster: ClusterJson): string {
  if (cluster.clusterType !== undefined)
    return /dynamic_forward_proxy/.test(cluster.clusterType.name ?? '') ? 'DNS_ON_DEMAND' : (cluster.clusterType.name ?? '');
  return cluster.type ?? 'STATIC';
}

function assignmentOf(view: ProxyView, cluster: ClusterJson): ClusterLoadAssignmentJson | undefined {
  if (cluster.type !== 'EDS') return cluster.loadAssignment;
  return indexOf(view).assignment(cluster.edsClusterConfig?.serviceName || (cluster.name ?? ''));
}

const HEALTH: Readonly<Record<string, Health>> = {
  HEALTHY: 'healthy',
  DEGRADED: 'degraded',
  UNHEALTHY: 'unhealthy',
  TIMEOUT: 'unhealthy',
  DRAINING: 'draining',
};
const healthOf = (status: HealthStatusJson | undefined): Health => HEALTH[String(status)] ?? 'unknown';
/** Envoy: what nobody has said anything about counts as healthy. */
const usable = (health: Health): boolean => health === 'healthy' || health === 'unknown';

function candidatesOf(
  cluster: ClusterJson,
  assignment: ClusterLoadAssignmentJson | undefined,
): { candidates: EndpointCandidate[]; panic: boolean } {
  const flat: (Omit<EndpointCandidate, 'share'> & { localityWeight: number })[] = [];
  for (const group of assignment?.endpoints ?? []) {
    const { region = '', zone = '', subZone = '' } = group.locality ?? {};
    const locality = [region, zone, subZone].filter((part) => part !== '').join('/');
    for (const lb of group.lbEndpoints ?? []) {
      const socket = lb.endpoint?.address?.socketAddress;
      const ip = socket?.address ?? '';
      const address =
        socket === undefined
          ? (lb.endpoint?.address?.pipe?.path ?? '')
          : `${ip.includes(':') ? `[${ip}]` : ip}:${Number(socket.portValue ?? 0)}`;
      if (address === '') continue;
      const workload = lb.metadata?.filterMetadata?.['istio']?.['workload'];
      flat.push({
        address,
        health: healthOf(lb.healthStatus),
        weight: Math.max(1, number(lb.loadBalancingWeight, 1)),
        priority: group.priority ?? 0,
        locality,
        localityWeight: number(group.loadBalancingWeight, 0),
        ...(typeof workload === 'string' && { workload: workload.split(';')[0]! }),
      });
    }
  }
  const weighed = cluster.commonLbConfig?.localityWeightedLbConfig !== undefined;
  const first = Math.min(...flat.filter((e) => usable(e.health)).map((e) => e.priority));
  const live = flat.filter((e) => usable(e.health) && e.priority === first);
  const localities = Map.groupBy(live, (e) => e.locality);
  const total = weighed ? [...localities.values()].reduce((n, of) => n + of[0]!.localityWeight, 0) : live.reduce((n, e) => n + e.weight, 0);
  const shareOf = (e: (typeof flat)[number]): number => {
    if (!live.includes(e) || total === 0) return 0;
    if (!weighed) return e.weight / total;
    const own = localities.get(e.locality)!;
    return (e.localityWeight / total) * (e.weight / own.reduce((n, o) => n + o.weight, 0));
  };
  return { candidates: flat.map(({ localityWeight: _, ...e }, i) => ({ ...e, share: shareOf(flat[i]!) })), panic: false };
}

function protocolOf(cluster: ClusterJson): string {
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS] as
    | { explicitHttpConfig?: { http2ProtocolOptions?: object }; useDownstreamProtocolConfig?: object; autoConfig?: object }
    | undefined;
  if (options?.explicitHttpConfig?.http2ProtocolOptions !== undefined || cluster.http2ProtocolOptions !== undefined) return 'HTTP/2';
  if (options?.useDownstreamProtocolConfig !== undefined) return 'as the client';
  if (options?.autoConfig !== undefined) return 'by ALPN';
  return 'HTTP/1.1';
}

function transportOf(cluster: ClusterJson): Pick<Destination, 'transport' | 'sni'> {
  const sockets = [...(cluster.transportSocketMatches ?? []).map((m) => m.transportSocket), cluster.transportSocket];
  const tls = sockets
    .map((s) => s?.typedConfig as { '@type'?: string; sni?: string; commonTlsContext?: object } | undefined)
    .find((c) => typeOf(c).endsWith('UpstreamTlsContext'));
  if (tls === undefined) return { transport: 'plain' };
  const mutual = /tlsCertificate/.test(Object.keys(tls.commonTlsContext ?? {}).join());
  const automatic = (cluster.transportSocketMatches ?? []).length > 1;
  const kind = `${mutual ? 'mutual TLS' : 'TLS'}${automatic ? ' where the endpoint has it' : ''}`;
  return { transport: kind, ...(tls.sni !== undefined && tls.sni !== '' && { sni: tls.sni }) };
}

function limitsOf(cluster: ClusterJson): Limits {
  const found = cluster.circuitBreakers?.thresholds?.find((t) => (t.priority ?? 'DEFAULT') === 'DEFAULT');
  const common = (
    cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS] as
      | { commonHttpProtocolOptions?: { maxRequestsPerConnection?: number } }
      | undefined
  )?.commonHttpProtocolOptions;
  const budget = found?.retryBudget;
  return {
    maxConnections: number(found?.maxConnections, 1024),
    maxPendingRequests: number(found?.maxPendingRequests, 1024),
    maxRequests: number(found?.maxRequests, 1024),
    maxRetries: number(found?.maxRetries, 3),
    ...(budget !== undefined && {
      retryBudget: {
        percent: number(budget.budgetPercent?.value as number | undefined, 20),
        minimum: number(budget.minRetryConcurrency, 3),
      },
    }),
    connectTimeout: ms(cluster.connectTimeout, 5000),
    maxRequestsPerConnection: number(common?.maxRequestsPerConnection ?? cluster.maxRequestsPerConnection, 0),
  };
}

function outlierRules(cluster: ClusterJson): OutlierRules | undefined {
  const json = cluster.outlierDetection;
  if (json === undefined) return undefined;
  return {
    consecutive5xx: number(json.consecutive5xx, 5),
    consecutiveGatewayFailures: number(json.enforcingConsecutiveGatewayFailure, 0) === 0 ? 0 : number(json.consecutiveGatewayFailure, 5),
    consecutiveLocalOriginFailures: json.splitExternalLocalOriginErrors === true ? number(json.consecutiveLocalOriginFailure, 5) : 0,
    interval: ms(json.interval, 10_000),
    baseEjectionTime: ms(json.baseEjectionTime, 30_000),
    maxEjectionPercent: number(json.maxEjectionPercent, 10),
  };
}
