import type { EjectionType } from '../../../../src/upstream/outlier-config.ts';
import type { ClusterStats, Counter, Gauge } from '../../types.ts';

/** `outlier_detection.*` of a cluster. */
export interface EjectionStats {
  active: Gauge;
  enforcedTotal: Counter;
  overflow: Counter;
  detected: Readonly<Record<EjectionType, Counter>>;
  enforced: Readonly<Record<EjectionType, Counter>>;
  /** Deprecated ones that Envoy still keeps. */
  total: Counter;
  consecutive5xx: Counter;
  successRate: Counter;
}

export function createEjectionStats(stats: ClusterStats): EjectionStats {
  const counter = (name: string): Counter => stats.counter(`outlier_detection.ejections_${name}`);
  const byType = (kind: 'detected' | 'enforced'): Record<EjectionType, Counter> => ({
    consecutive_5xx: counter(`${kind}_consecutive_5xx`),
    consecutive_gateway_failure: counter(`${kind}_consecutive_gateway_failure`),
    consecutive_local_origin_failure: counter(`${kind}_consecutive_local_origin_failure`),
    success_rate: counter(`${kind}_success_rate`),
    local_origin_success_rate: counter(`${kind}_local_origin_success_rate`),
    failure_percentage: counter(`${kind}_failure_percentage`),
    local_origin_failure_percentage: counter(`${kind}_local_origin_failure_percentage`),
  });
  const active = stats.gauge('outlier_detection.ejections_active');
  active.set(0);
  return {
    active,
    enforcedTotal: counter('enforced_total'),
    overflow: counter('overflow'),
    detected: byType('detected'),
    enforced: byType('enforced'),
    total: counter('total'),
    consecutive5xx: counter('consecutive_5xx'),
    successRate: counter('success_rate'),
  };
}
