import type { HttpMatch } from '../types.ts';
import type { RuleEntry } from './rules.ts';

const size = (map: object | undefined): number => Object.keys(map ?? {}).length;

const PATH_RANKS = { exact: 3, prefix: 2, regex: 1 } as const;

/** How specific a path is: its sort, then its length. */
function pathOf(match: HttpMatch | undefined): readonly [rank: number, length: number] {
  const { uri } = match ?? {};
  for (const sort of ['exact', 'prefix', 'regex'] as const) {
    const text = uri?.[sort];
    if (text !== undefined) return [PATH_RANKS[sort], text.length];
  }
  return [PATH_RANKS.prefix, 1];
}

/** Takes every request: after all others, or expressions would never be asked. */
function isWhole(match: HttpMatch | undefined): boolean {
  const [rank, length] = pathOf(match);
  return rank === PATH_RANKS.prefix && length === 1 && !match?.method && size(match?.headers) + size(match?.queryParams) === 0;
}

/** The numbers that are compared, the larger first. */
function weights({ match }: RuleEntry): readonly number[] {
  return [isWhole(match) ? 0 : 1, ...pathOf(match), match?.method ? 1 : 0, size(match?.headers), size(match?.queryParams)];
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The order in which matches of all routes of a host are tried: the exact path, the longest prefix, expressions (the API leaves them to
 * implementations; Istio's order); a method; more headers; more query parameters; the oldest route; its namespace and name; its own order.
 * https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
 */
export function compareEntries(a: RuleEntry, b: RuleEntry): number {
  const [ours, theirs] = [weights(a), weights(b)];
  for (const [i, weight] of ours.entries()) if (weight !== theirs[i]) return theirs[i]! - weight;
  const [one, other] = [a.route.metadata, b.route.metadata];
  return (
    (one.creationTime ?? 0) - (other.creationTime ?? 0) ||
    text(`${one.namespace}/${one.name}`, `${other.namespace}/${other.name}`) ||
    text(a.route.kind, b.route.kind) ||
    a.at[0] - b.at[0] ||
    a.at[1] - b.at[1]
  );
}
