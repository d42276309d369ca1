import type { WeightedClusterJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { wholeRandom } from './fraction.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import type { RouteDecision } from './types.ts';

/** A choice among weighted clusters. Shares are exact: each weight is so many of the whole numbers below the total. */
export interface WeightedChoice {
  readonly choices: readonly { readonly weight: number; readonly decision: RouteDecision }[];
  readonly total: number;
  /** Its value, when it is a whole number, takes the place of the random one. */
  readonly headerName: string | undefined;
}

/** Compiles weights; `decisionOf(i)` makes the decision of cluster i. */
export function compileWeighted(
  json: WeightedClusterJson,
  path: string,
  problems: ProblemList,
  decisionOf: (index: number) => RouteDecision,
): WeightedChoice {
  const clusters = json.clusters ?? [];
  if (clusters.length === 0) problems.invalid(`${path}.clusters`, 'must not be empty');
  const choices = clusters.map((cluster, i) => {
    const named = (cluster.name ?? '') !== '';
    if (named === ((cluster.clusterHeader ?? '') !== ''))
      problems.invalid(`${path}.clusters[${i}]`, 'needs exactly one of name and clusterHeader');
    return { weight: cluster.weight ?? 0, decision: decisionOf(i) };
  });
  const total = choices.reduce((sum, choice) => sum + choice.weight, 0);
  if (total === 0) problems.invalid(`${path}.clusters`, 'the sum of the weights must be above 0');
  if (total > 0xffff_ffff) problems.invalid(`${path}.clusters`, 'the sum of the weights must be below 2^32');
  const headerName = json.headerName === undefined || json.headerName === '' ? undefined : json.headerName.toLowerCase();
  return { choices, total, headerName };
}

/** Picks a cluster with a uniform random number in [0, 1). */
export function chooseWeighted(weighted: WeightedChoice, request: RouteRequest, random: number): RouteDecision {
  const { choices, total } = weighted;
  let at = weighted.headerName === undefined ? undefined : headerSeed(request, weighted.headerName, total);
  at ??= wholeRandom(random) % total;
  let end = 0;
  for (const choice of choices) {
    end += choice.weight;
    if (at < end) return choice.decision;
  }
  return choices[choices.length - 1]!.decision;
}

/** Envoy: the header must have one line that is an unsigned 64-bit number. */
function headerSeed(request: RouteRequest, name: string, total: number): number | undefined {
  const values = request.headerValues(name);
  if (values.length !== 1 || !/^\s*\+?\d{1,20}\s*$/.test(values[0]!)) return undefined;
  const seed = BigInt(values[0]!.trim().replace(/^\+/, ''));
  return seed > 0xffff_ffff_ffff_ffffn ? undefined : Number(seed % BigInt(total));
}
