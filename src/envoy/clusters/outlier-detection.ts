import type { OutlierDetectionJson } from '#envoy-api/envoy/config/cluster/v3/outlier_detection_pb.js';
import { getOrMake } from '../../mesh/memo.ts';
import type { EffectivePolicy } from '../../mesh/types.ts';
import { optionalDuration } from './connection-pool.ts';

const made = new WeakMap<NonNullable<EffectivePolicy['outlierDetection']>, OutlierDetectionJson>();

/**
 * Outlier detection of an outbound cluster; undefined when the policy has none. A block that is present but empty turns it on
 * with Envoy's defaults, and success rates are never enforced: Istio has no field for them. Clusters of the same settings share one.
 */
export function outlierDetection(settings: EffectivePolicy['outlierDetection']): OutlierDetectionJson | undefined {
  return settings && getOrMake(made, settings, enforced);
}

function enforced(settings: NonNullable<EffectivePolicy['outlierDetection']>): OutlierDetectionJson {
  const out: OutlierDetectionJson = { enforcingSuccessRate: 0 };
  // `consecutiveErrors` is the deprecated name of what became consecutiveGatewayErrors and consecutive5xxErrors; validation reports it.
  const fives = settings.consecutive5xxErrors;
  if (fives !== undefined) {
    out.consecutive5xx = fives;
    out.enforcingConsecutive5xx = fives > 0 ? 100 : 0;
  }
  const gateway = settings.consecutiveGatewayErrors;
  if (gateway !== undefined) {
    out.consecutiveGatewayFailure = gateway;
    out.enforcingConsecutiveGatewayFailure = gateway > 0 ? 100 : 0;
  }
  const interval = optionalDuration(settings.interval);
  if (interval) out.interval = interval;
  const ejection = optionalDuration(settings.baseEjectionTime);
  if (ejection) out.baseEjectionTime = ejection;
  if (settings.maxEjectionPercent) out.maxEjectionPercent = settings.maxEjectionPercent;
  if (settings.splitExternalLocalOriginErrors) {
    out.splitExternalLocalOriginErrors = true;
    out.enforcingLocalOriginSuccessRate = 0;
    if (settings.consecutiveLocalOriginFailures) {
      out.consecutiveLocalOriginFailure = settings.consecutiveLocalOriginFailures;
      out.enforcingConsecutiveLocalOriginFailure = 100;
    }
  }
  return out;
}
