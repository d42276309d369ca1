import { takes } from '../routing/fraction.ts';
import { match } from '../routing/match.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { CompiledRoute, CompiledRouteConfiguration, CompiledVirtualHost, Decision } from '../routing/types.ts';

/** One decision that the dice can lead to. */
export interface Branch {
  readonly decision: Decision;
  /** 0 to 1; all together 1. */
  readonly share: number;
  /** A draw in [0, 1) that leads here. */
  readonly draw: number;
}

/** Whole numbers that are tried one by one; more are drawn as if fraction and weights were independent. */
const MOST_DRAWS = 2_000_000;
const WHOLE = 9_007_199_254_740_992;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** What a draw means for the routes that could take the request: the place of the one that does, and of its weighted cluster. */
function outcomeOf(candidates: readonly CompiledRoute[], whole: number): number {
  const draw = whole / WHOLE;
  for (const [i, { fraction, weighted }] of candidates.entries()) {
    if (fraction !== undefined && !takes(fraction, draw)) continue;
    if (weighted === undefined) return i * 65_536;
    let at = whole % weighted.total;
    for (const [c, choice] of weighted.choices.entries()) {
      at -= choice.weight;
      if (at < 0) return i * 65_536 + c;
    }
  }
  return -1;
}

/** Routes whose conditions all hold, fractions apart, up to the first that takes every draw. */
function candidatesOf(virtualHost: CompiledVirtualHost | undefined, request: RouteRequest): CompiledRoute[] {
  const out: CompiledRoute[] = [];
  for (const route of virtualHost?.routes ?? []) {
    if (request.path === '' && !route.path.takesPathless) continue;
    if (!route.path.test(request) || !route.conditions.every((c) => c.test(request))) continue;
    out.push(route);
    if (route.fraction === undefined) break;
  }
  return out;
}

/**
 * Every decision that `match` can come to for this request, each with its exact share: one draw serves a route's fraction and its
 * weighted clusters, so the draws that there are (modulo what both divide by) are counted. The decisions are `match`'s own.
 *
 * @param random decides in place of chance when it is given
 */
export function branchesOf(
  config: CompiledRouteConfiguration,
  virtualHost: CompiledVirtualHost | undefined,
  request: RouteRequest,
  random?: number,
): Branch[] {
  if (random !== undefined) return [{ decision: match(config, request, () => random / WHOLE), share: 1, draw: random / WHOLE }];
  const candidates = candidatesOf(virtualHost, request);
  const merged = new Map<Decision, { share: number; draw: number }>();
  const add = (draw: number, share: number): void => {
    const decision = match(config, request, () => draw);
    const before = merged.get(decision);
    if (before === undefined) merged.set(decision, { share, draw });
    else before.share += share;
  };
  const fractions = candidates.filter((r) => r.fraction !== undefined);
  const [only] = candidates;
  if (fractions.length === 0) {
    if (only?.weighted === undefined) add(0, 1);
    else {
      let start = 0;
      for (const { weight } of only.weighted.choices) {
        if (weight > 0) add(start / WHOLE, weight / only.weighted.total);
        start += weight;
      }
    }
  } else {
    let draws = 1;
    for (const { fraction, weighted } of candidates) {
      for (const n of [fraction?.denominator ?? 1, weighted?.total ?? 1]) draws = (draws / gcd(draws, n)) * n;
    }
    // Beyond that a stride through the draws is as good as all of them: shares are then right to a millionth.
    const stride = Math.max(1, Math.floor(draws / MOST_DRAWS));
    const counts = new Map<number, { n: number; whole: number }>();
    let tried = 0;
    for (let whole = 0; whole < draws; whole += stride) {
      const key = outcomeOf(candidates, whole);
      const found = counts.get(key);
      if (found === undefined) counts.set(key, { n: 1, whole });
      else found.n++;
      tried++;
    }
    for (const { n, whole } of counts.values()) add(whole / WHOLE, n / tried);
  }
  return [...merged].map(([decision, rest]) => ({ decision, ...rest })).sort((a, b) => b.share - a.share);
}
