/** Weights on the way from one split to another. */
import type { Share } from '../edit/routes/split.ts';

const isSame = (a: Share, b: Pick<Share, 'host' | 'subset'>): boolean => a.host === b.host && a.subset === b.subset;

/** Whether two splits give the same destinations the same weights, in the same order. */
export function isSameSplit(a: readonly Share[], b: readonly Share[]): boolean {
  return a.length === b.length && a.every((share, i) => isSame(share, b[i]!) && share.weight === b[i]!.weight);
}

/**
 * The split in which `to` has `percent`, and the others what is left, in proportion to what they had before. Whole percent; they always
 * add up to 100.
 */
export function sharesAt(before: readonly Share[], to: Pick<Share, 'host' | 'subset'>, percent: number): Share[] {
  const others = before.filter((share) => !isSame(share, to));
  const sum = others.reduce((total, share) => total + share.weight, 0);
  const left = 100 - percent;
  const exact = others.map((share) => (sum === 0 ? left / others.length : (share.weight * left) / sum));
  const weights = exact.map(Math.floor);
  // The largest remainders get what rounding left over.
  const order = exact.map((value, i) => ({ i, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (let missing = left - weights.reduce((a, b) => a + b, 0), k = 0; missing > 0 && order.length > 0; missing--, k++)
    weights[order[k % order.length]!.i]!++;
  const kept = before.some((share) => isSame(share, to)) ? before : [...before, { ...to, weight: 0 }];
  let next = 0;
  return kept.map((share) =>
    isSame(share, to) ? { ...share, weight: others.length === 0 ? 100 : percent } : { ...share, weight: weights[next++] as number },
  );
}

/** Weights as percent of their sum, whole ones that add up to 100. */
export function asPercent(shares: readonly Share[]): Share[] {
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  if (sum === 100) return [...shares];
  if (shares.length === 1 || sum === 0) return shares.map((share, i) => ({ ...share, weight: i === 0 ? 100 : 0 }));
  const [first, ...rest] = shares as [Share, ...Share[]];
  return sharesAt([first, ...rest], first, Math.round((100 * first.weight) / sum));
}
