import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { parseClusterName } from '../envoy/names.ts';
import { HTTP_OPTIONS_KEY, httpOptions } from '../upstream/http-options.ts';
import { milliseconds } from '../upstream/milliseconds.ts';
import { outlierConfig } from '../upstream/outlier-config.ts';
import { thresholdsOf } from '../upstream/thresholds.ts';
import { candidatesOf } from './endpoints.ts';
import { typeOf } from './listener.ts';
import { originOfMetadata } from './origin.ts';
import type { Destination, Limits, OutlierRules } from './types.ts';
import { indexOf, type ProxyView } from './view.ts';

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
  return {
    cluster: name,
    ...(service !== undefined && { service }),
    ...(parsed !== undefined && { port: parsed.port }),
    ...(parsed !== undefined && parsed.subset !== '' && { subset: parsed.subset }),
    discovery,
    balancing: cluster.lbPolicy ?? 'ROUND_ROBIN',
    protocol: protocolOf(cluster),
    ...transportOf(cluster),
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

function assignmentOf(view: ProxyView, cluster: ClusterJson): ClusterLoadAssignmentJson | undefined {
  if (cluster.type !== 'EDS') return cluster.loadAssignment;
  return indexOf(view).assignment(cluster.edsClusterConfig?.serviceName || (cluster.name ?? ''));
}

function protocolOf(cluster: ClusterJson): string {
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS_KEY] as { autoConfig?: object } | undefined;
  return options?.autoConfig === undefined ? PROTOCOLS[httpOptions(cluster).protocol] : 'by ALPN';
}

interface TlsContext {
  sni?: string;
  commonTlsContext?: { tlsCertificates?: unknown[]; tlsCertificateSdsSecretConfigs?: unknown[] };
}

function transportOf(cluster: ClusterJson): Pick<Destination, 'transport' | 'sni'> {
  const matches = cluster.transportSocketMatches ?? [];
  const tls = [...matches.map((m) => m.transportSocket), cluster.transportSocket]
    .map((socket) => socket?.typedConfig as TlsContext | undefined)
    .find((config) => typeOf(config).endsWith('.UpstreamTlsContext'));
  if (tls === undefined) return { transport: 'plain' };
  const { tlsCertificates = [], tlsCertificateSdsSecretConfigs = [] } = tls.commonTlsContext ?? {};
  const mutual = tlsCertificates.length + tlsCertificateSdsSecretConfigs.length > 0;
  // Istio's automatic mTLS: a second, plain transport for endpoints that do not say that they have it.
  const perEndpoint = matches.length > 1;
  return {
    transport: `${mutual ? 'mutual TLS' : 'TLS'}${perEndpoint ? ' where the endpoint has it' : ''}`,
    ...((tls.sni ?? '') !== '' && { sni: tls.sni! }),
  };
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
