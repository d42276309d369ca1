import type { Cluster_SlowStartConfigJson, ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { EffectivePolicy } from '../../mesh/types.ts';
import { optionalDuration } from './connection-pool.ts';

type LoadBalancer = NonNullable<EffectivePolicy['loadBalancer']>;

/** Istio's ring size when a rule asks for consistent hashing and names no algorithm. */
const defaultRingSize = 1024;

function slowStart(lb: LoadBalancer): Cluster_SlowStartConfigJson | undefined {
  const window = optionalDuration(lb.warmup?.duration);
  if (lb.warmup && window) {
    const aggression = lb.warmup.aggression ?? 1;
    return {
      slowStartWindow: window,
      minWeightPercent: { value: lb.warmup.minimumPercent ?? 10 },
      // Envoy: a runtime double needs a key; 1 is its default and needs no mention.
      ...(aggression !== 1 && { aggression: { defaultValue: aggression, runtimeKey: 'fairlead.slow_start.aggression' } }),
    };
  }
  const deprecated = optionalDuration(lb.warmupDurationSecs);
  return deprecated ? { slowStartWindow: deprecated } : undefined;
}

function consistentHash(hash: NonNullable<LoadBalancer['consistentHash']>): Partial<ClusterJson> {
  if (hash.maglev) {
    return { lbPolicy: 'MAGLEV', ...(hash.maglev.tableSize ? { maglevLbConfig: { tableSize: String(hash.maglev.tableSize) } } : {}) };
  }
  const size = hash.ringHash?.minimumRingSize || hash.minimumRingSize || defaultRingSize;
  return { lbPolicy: 'RING_HASH', ringHashLbConfig: { minimumRingSize: String(size) } };
}

/** True when a rule forwards to the address that the client asked for: the cluster becomes ORIGINAL_DST. */
export function isPassthrough(policy: EffectivePolicy): boolean {
  return policy.loadBalancer?.simple === 'PASSTHROUGH';
}

/** Balancer of a cluster whose hosts Envoy chooses (not ORIGINAL_DST, not a dynamic forward proxy: those are CLUSTER_PROVIDED). */
export function loadBalancer(policy: EffectivePolicy): Partial<ClusterJson> {
  const lb = policy.loadBalancer;
  if (lb?.consistentHash) return consistentHash(lb.consistentHash);
  const slowStartConfig = lb && slowStart(lb);
  switch (lb?.simple) {
    case 'ROUND_ROBIN':
      return { lbPolicy: 'ROUND_ROBIN', ...(slowStartConfig && { roundRobinLbConfig: { slowStartConfig } }) };
    case 'RANDOM':
      return { lbPolicy: 'RANDOM' };
    default:
      return { lbPolicy: 'LEAST_REQUEST', ...(slowStartConfig && { leastRequestLbConfig: { slowStartConfig } }) };
  }
}
