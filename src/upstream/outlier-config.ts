import type { OutlierDetectionJson } from '#envoy-api/envoy/config/cluster/v3/outlier_detection_pb.js';
import { jsonNumber } from './json-number.ts';
import { milliseconds } from './milliseconds.ts';

/** Outlier detection with Envoy's defaults filled in. Times are milliseconds, `enforcing` percentages. */
export interface OutlierConfig {
  interval: number;
  baseEjectionTime: number;
  maxEjectionTime: number;
  maxEjectionTimeJitter: number;
  maxEjectionPercent: number;
  alwaysEjectOneHost: boolean;
  splitErrors: boolean;
  consecutive5xx: number;
  consecutiveGatewayFailure: number;
  consecutiveLocalOriginFailure: number;
  successRate: { minimumHosts: number; requestVolume: number; stdevFactor: number };
  failurePercentage: { threshold: number; minimumHosts: number; requestVolume: number };
  enforcing: Readonly<Record<EjectionType, number>>;
}

/** Why a host is ejected; Envoy's stats are named after it. */
export type EjectionType =
  | 'consecutive_5xx'
  | 'consecutive_gateway_failure'
  | 'consecutive_local_origin_failure'
  | 'success_rate'
  | 'local_origin_success_rate'
  | 'failure_percentage'
  | 'local_origin_failure_percentage';

/** Envoy: DetectorConfig. */
export function outlierConfig(json: OutlierDetectionJson): OutlierConfig {
  const baseEjectionTime = milliseconds(json.baseEjectionTime, 30_000);
  return {
    interval: milliseconds(json.interval, 10_000),
    baseEjectionTime,
    maxEjectionTime: milliseconds(json.maxEjectionTime, Math.max(300_000, baseEjectionTime)),
    maxEjectionTimeJitter: milliseconds(json.maxEjectionTimeJitter, 0),
    maxEjectionPercent: jsonNumber(json.maxEjectionPercent, 10),
    alwaysEjectOneHost: json.alwaysEjectOneHost ?? false,
    splitErrors: json.splitExternalLocalOriginErrors ?? false,
    consecutive5xx: jsonNumber(json.consecutive5xx, 5),
    consecutiveGatewayFailure: jsonNumber(json.consecutiveGatewayFailure, 5),
    consecutiveLocalOriginFailure: jsonNumber(json.consecutiveLocalOriginFailure, 5),
    successRate: {
      minimumHosts: jsonNumber(json.successRateMinimumHosts, 5),
      requestVolume: jsonNumber(json.successRateRequestVolume, 100),
      stdevFactor: jsonNumber(json.successRateStdevFactor, 1900),
    },
    failurePercentage: {
      threshold: jsonNumber(json.failurePercentageThreshold, 85),
      minimumHosts: jsonNumber(json.failurePercentageMinimumHosts, 5),
      requestVolume: jsonNumber(json.failurePercentageRequestVolume, 50),
    },
    enforcing: {
      consecutive_5xx: jsonNumber(json.enforcingConsecutive5xx, 100),
      consecutive_gateway_failure: jsonNumber(json.enforcingConsecutiveGatewayFailure, 0),
      consecutive_local_origin_failure: jsonNumber(json.enforcingConsecutiveLocalOriginFailure, 100),
      success_rate: jsonNumber(json.enforcingSuccessRate, 100),
      local_origin_success_rate: jsonNumber(json.enforcingLocalOriginSuccessRate, 100),
      failure_percentage: jsonNumber(json.enforcingFailurePercentage, 0),
      local_origin_failure_percentage: jsonNumber(json.enforcingFailurePercentageLocalOrigin, 0),
    },
  };
}
