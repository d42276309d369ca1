import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { parseClusterName } from '../envoy/names.ts';
import { HTTP_OPTIONS_KEY, httpOptions } from '../upstream/http-options.ts';
import { milliseconds } from '../upstream/milliseconds.ts';
import { outlierConfig } from '../upstream/outlier-config.ts';
import { thresholdsOf } from '../upstream/thresholds.ts';
import { assignmentOf, candidatesOf } from './endpoints.ts';
import { originOfMetadata } from './origin.ts';
import { transportOf } from './security/upstream-tls.ts';
import type { Destination, EndpointCandidate, Limits, Origin, OutlierRules } from './types.ts';
import type { ProxyView } from './view.ts';

const PROTOCOLS = { http1: 'HTTP/1.1', http2: 'HTTP/2', downstream: 'as the client' } as const;

/** Everything that is known of a cluster as a destination. `priority` is the route's: its thresholds are the ones that count. */
export function destinationOf(view: ProxyView, cluster: ClusterJson, priority: 'DEFAULT' | 'HIGH' = 'DEFAULT'): Destination {
  const name = cluster.name ?? '';
  const parsed = parseClusterName(name);
  const discovery = discoveryOf(cluster);
  const { candidates, panic } = candidatesOf(cluster, assignmentOf(view, cluster));
  const service = parsed === undefined || parsed.host === '' ? undefined : parsed.host;
  const origin = originOfMetadata(cluster.metadata, view.locator) ?? (service === undefined ? undefined : view.locator?.service(service));
  const outlier = outlierRules(cluster);
  const security = securityOf(view, cluster, candidates, service === undefined ? undefined : parsed, origin);
  return {
    cluster: name,
    ...(service !== undefined && { service }),
    ...(parsed !== undefined && { port: parsed.port }),
    ...(parsed !== undefined && parsed.subset !== '' && { subset: parsed.subset }),
    discovery,
    balancing: cluster.lbPolicy ?? 'ROUND_ROBIN',
    protocol: protocolOf(cluster),
    ...transportText(cluster, candidates),
    ...(security !== undefined && { security }),
    endpointsKnown: discovery !== 'EDS' || view.endpointsKnown,
    endpoints: candidates,
    panic,
    limits: limitsOf(cluster, priority),
    ...(outlier !== undefined && { outlierDetection: outlier }),
    ...(origin !== undefined && { origin }),
  };
}

function discoveryOf({ clusterType: custom, type }: ClusterJson): string {
  if (custom === undefined) return type ?? 'STATIC';
  return custom.name?.includes('dynamic_forward_proxy') ? 'DNS_ON_DEMAND' : (custom.name ?? '');
}

function protocolOf(cluster: ClusterJson): string {
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS_KEY] as { autoConfig?: object } | undefined;
  return options?.autoConfig === undefined ? PROTOCOLS[httpOptions(cluster).protocol] : 'by ALPN';
}

/** How its connections are secured, in a few words. */
function transportText(cluster: ClusterJson, endpoints: readonly EndpointCandidate[]): Pick<Destination, 'transport' | 'sni'> {
  const matches = (cluster.transportSocketMatches ?? []).map(({ match = {} }) => match);
  const whole = transportOf(cluster, matches.length === 0 ? {} : { 'envoy.transport_socket_match': matches[0] });
  if (whole.kind === 'plain') return { transport: 'plain' };
  const kinds = new Set(endpoints.map((e) => e.transport));
  // Istio's automatic mTLS: a second, plain transport for endpoints that do not say that they have it.
  const perEndpoint = matches.length > 1 && kinds.size !== 1;
  if (kinds.size === 1 && kinds.has('plain')) return { transport: 'plain' };
  return { transport: `${whole.kind}${perEndpoint ? ' where the endpoint has it' : ''}`, ...(whole.sni !== '' && { sni: whole.sni }) };
}

/** Why: a DestinationRule, the endpoint itself (automatic mutual TLS), a PeerAuthentication. undefined where there is nothing to tell. */
function securityOf(
  view: ProxyView,
  cluster: ClusterJson,
  endpoints: readonly EndpointCandidate[],
  at: { host: string; port: number } | undefined,
  origin: Origin | undefined,
): Destination['security'] {
  const automatic = (cluster.transportSocketMatches ?? []).length > 0;
  const secured = endpoints.filter((e) => e.transport !== 'plain');
  if (!automatic && transportOf(cluster, {}).kind !== 'plain') {
    const rule = origin?.kind === 'DestinationRule' ? origin : undefined;
    return { why: rule === undefined ? 'as its cluster says' : 'as the DestinationRule asks', ...(rule && { origin: rule }) };
  }
  if (secured.length > 0) {
    const all = secured.length === endpoints.length;
    return {
      why: `automatic: ${all ? 'the endpoint’s proxy' : `the proxy of ${secured.length} of ${endpoints.length} endpoints`} takes it`,
    };
  }
  if (at === undefined) return undefined;
  for (const { address } of endpoints) {
    const because = view.mesh?.plainBecause(at.host, at.port, address);
    if (because !== undefined) return because;
  }
  return undefined;
}

function limitsOf(cluster: ClusterJson, priority: 'DEFAULT' | 'HIGH'): Limits {
  const { connections, pending, requests, retries, budget } = thresholdsOf(cluster.circuitBreakers, priority);
  return {
    maxConnections: connections,
    maxPendingRequests: pending,
    maxRequests: requests,
    maxRetries: retries,
    ...(budget !== undefined && { retryBudget: budget }),
    // Envoy's default is 5 s.
    connectTimeout: milliseconds(cluster.connectTimeout, 5000),
    maxRequestsPerConnection: httpOptions(cluster).maxRequestsPerConnection,
  };
}

function outlierRules({ outlierDetection }: ClusterJson): OutlierRules | undefined {
  if (outlierDetection === undefined) return undefined;
  const config = outlierConfig(outlierDetection);
  const { enforcing } = config;
  return {
    consecutive5xx: enforcing.consecutive_5xx === 0 ? 0 : config.consecutive5xx,
    consecutiveGatewayFailures: enforcing.consecutive_gateway_failure === 0 ? 0 : config.consecutiveGatewayFailure,
    consecutiveLocalOriginFailures:
      !config.splitErrors || enforcing.consecutive_local_origin_failure === 0 ? 0 : config.consecutiveLocalOriginFailure,
    interval: config.interval,
    baseEjectionTime: config.baseEjectionTime,
    maxEjectionPercent: config.maxEjectionPercent,
  };
}
