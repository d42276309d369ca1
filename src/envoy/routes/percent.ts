import type { FractionalPercentJson } from '#envoy-api/envoy/type/v3/percent_pb.js';

/** A percentage as Istio writes it: parts of a million, cut off below that. */
export function millionths(percent: number): FractionalPercentJson {
  return { numerator: Math.trunc(percent * 10_000), denominator: 'MILLION' };
}

/** Whole percent. */
export function hundredths(percent: number): FractionalPercentJson {
  return { numerator: percent, denominator: 'HUNDRED' };
}
