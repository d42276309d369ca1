/** Texts are compared in pieces of this length first. */
const PIECE = 16_384;

/** How much two texts have in common at their start and, of what is left, at their end. UTF-16 units. */
export function commonEnds(a: string, b: string): { start: number; end: number } {
  const shorter = Math.min(a.length, b.length);
  const start = longest(shorter, (from, to) => a.slice(from, to) === b.slice(from, to));
  const end = longest(shorter - start, (from, to) => a.slice(a.length - to, a.length - from) === b.slice(b.length - to, b.length - from));
  return { start, end };
}

/** The largest n up to `limit` for which [0, n) is the same. */
function longest(limit: number, isSame: (from: number, to: number) => boolean): number {
  let low = 0;
  while (low < limit && isSame(low, Math.min(low + PIECE, limit))) low = Math.min(low + PIECE, limit);
  if (low === limit) return limit;
  let high = Math.min(low + PIECE, limit);
  // [0, low) is the same, and [0, high) is not.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isSame(low, middle)) low = middle;
    else high = middle;
  }
  return low;
}
