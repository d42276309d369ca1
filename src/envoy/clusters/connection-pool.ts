import type { CircuitBreakersJson } from '#envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TcpKeepaliveJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { EffectivePolicy, ResolvedMeshConfig } from '../../mesh/types.ts';
import { envoyDuration } from '../duration.ts';

/** Istio's "no limit": the largest 32-bit number. */
const unlimited = 4_294_967_295;

/** `connect_timeout` when neither the rule nor the mesh says: Istio's default. */
const defaultConnectTimeoutMs = 10_000;

/** The duration as Envoy writes it; undefined for none, `0s` (Istio: 0 means unset) and what does not parse (validation told). */
export function optionalDuration(text: string | undefined): string | undefined {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms === undefined || ms <= 0 ? undefined : envoyDuration(ms);
}

/** Connect timeout of a cluster: the rule's, else the mesh's, else 10 s. */
export function connectTimeout(pool: EffectivePolicy['connectionPool'], config: ResolvedMeshConfig): string {
  return optionalDuration(pool?.tcp?.connectTimeout) ?? optionalDuration(config.connectTimeout) ?? envoyDuration(defaultConnectTimeoutMs);
}

/** One threshold for the default priority, every limit written out: what a rule leaves open is unlimited (Envoy's own default would be 1024). */
export function circuitBreakers(
  pool: EffectivePolicy['connectionPool'],
  retryBudget?: EffectivePolicy['retryBudget'],
): CircuitBreakersJson {
  const limit = (n: number | undefined): number => (n === undefined || n <= 0 ? unlimited : n);
  return {
    thresholds: [
      {
        maxConnections: limit(pool?.tcp?.maxConnections),
        maxPendingRequests: limit(pool?.http?.http1MaxPendingRequests),
        maxRequests: limit(pool?.http?.http2MaxRequests),
        maxRetries: limit(pool?.http?.maxRetries),
        ...(retryBudget && {
          retryBudget: { budgetPercent: { value: retryBudget.percent ?? 20 }, minRetryConcurrency: retryBudget.minRetryConcurrency ?? 3 },
        }),
      },
    ],
  };
}

/** TCP keepalive in whole seconds: the mesh's values with the rule's over them; undefined when neither asks for it. */
function keepalive(pool: EffectivePolicy['connectionPool'], config: ResolvedMeshConfig): TcpKeepaliveJson | undefined {
  const own = pool?.tcp?.tcpKeepalive;
  const mesh = config.tcpKeepalive;
  if (own === undefined && mesh === undefined) return undefined;
  const seconds = (text: string | undefined): number | undefined => {
    const ms = text === undefined ? undefined : parseDuration(text);
    return ms ? Math.max(1, Math.floor(ms / 1000)) : undefined;
  };
  const probes = own?.probes || mesh?.probes;
  const time = seconds(own?.time) ?? seconds(mesh?.time);
  const interval = seconds(own?.interval) ?? seconds(mesh?.interval);
  return {
    ...(probes ? { keepaliveProbes: probes } : {}),
    ...(time !== undefined && { keepaliveTime: time }),
    ...(interval !== undefined && { keepaliveInterval: interval }),
  };
}

/** What a connection pool says about a cluster itself; its HTTP options are in upstream-protocol.ts. */
export function connectionPoolFields(policy: EffectivePolicy, config: ResolvedMeshConfig): Partial<ClusterJson> {
  const pool = policy.connectionPool;
  const tcpKeepalive = keepalive(pool, config);
  return {
    connectTimeout: connectTimeout(pool, config),
    circuitBreakers: circuitBreakers(pool, policy.retryBudget),
    ...(tcpKeepalive && { upstreamConnectionOptions: { tcpKeepalive } }),
  };
}
