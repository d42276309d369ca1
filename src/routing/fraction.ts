import type { RuntimeFractionalPercentJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { FractionalPercentJson } from '#envoy-api/envoy/type/v3/percent_pb.js';
import type { ProblemList } from './problems.ts';
import type { Fraction } from './types.ts';

const denominators = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 } as const;

/** A FractionalPercent; without a numerator it is 0, without a denominator HUNDRED. */
export function compileFraction(json: FractionalPercentJson | undefined): Fraction {
  return { numerator: json?.numerator ?? 0, denominator: denominators[json?.denominator ?? 'HUNDRED'] };
}

/** A RuntimeFractionalPercent. There is no runtime layer that could override it, so its default counts, as in Envoy. */
export function compileRuntimeFraction(json: RuntimeFractionalPercentJson, path: string, problems: ProblemList): Fraction {
  if (json.defaultValue === undefined) problems.invalid(`${path}.defaultValue`, 'is required');
  return compileFraction(json.defaultValue);
}

/** Envoy: a random whole number modulo the denominator lies below the numerator. `random` is in [0, 1). */
export function takes(fraction: Fraction, random: number): boolean {
  return wholeRandom(random) % fraction.denominator < fraction.numerator;
}

/** A whole number from a uniform one in [0, 1); the same draw serves a route's fraction and its weighted clusters, as in Envoy. */
export function wholeRandom(random: number): number {
  return Math.floor(random * 9_007_199_254_740_992);
}
