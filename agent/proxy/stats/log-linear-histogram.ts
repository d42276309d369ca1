import type { Histogram } from '../types.ts';

/** Bins of one power of ten: values are kept with two significant digits, 1.0 to 9.9. */
const BINS_PER_DECADE = 90;

/**
 * Counts values in logarithmic-linear bins, as the histograms of Envoy (libcirclhist) do: two significant digits each, so
 * quantiles are at most a tenth off. Values are whole numbers; fractions are cut, what is below 1 counts as 0.
 */
export class LogLinearHistogram implements Histogram {
  /** Number of values. */
  count = 0;
  /** Bin 0 is zero; then 90 bins a decade. Grows with what is recorded. */
  #bins = new Uint32Array(0);

  record(value: number): void {
    const bin = binOf(value);
    if (bin >= this.#bins.length) this.#grow(bin);
    this.#bins[bin]!++;
    this.count++;
  }

  #grow(bin: number): void {
    const bins = new Uint32Array(1 + BINS_PER_DECADE * Math.max(4, Math.ceil(bin / BINS_PER_DECADE)));
    bins.set(this.#bins);
    this.#bins = bins;
  }

  /** Calls `visit` for each bin that holds values, lowest first: its bounds (upper one excluded) and count. */
  forEachBin(visit: (low: number, high: number, count: number) => void): void {
    for (let bin = 0; bin < this.#bins.length; bin++) {
      const count = this.#bins[bin]!;
      if (count > 0) visit(lowerBound(bin), bin === 0 ? 0 : lowerBound(bin) + width(bin), count);
    }
  }

  /** Approximate values at these quantiles (0 to 1), within a bin by rank; NaN each when nothing was recorded. */
  quantiles(of: readonly number[]): number[] {
    return of.map((q) => {
      if (this.count === 0) return Number.NaN;
      const rank = Math.max(1, Math.ceil(q * this.count));
      let below = 0;
      let found = 0;
      this.forEachBin((low, high, count) => {
        if (below < rank && rank <= below + count) found = low + ((high - low) * (rank - below)) / (count + 1);
        below += count;
      });
      return found;
    });
  }

  /** Approximate sum: every value stands for the harmonic middle of its bin. */
  sum(): number {
    let sum = 0;
    this.forEachBin((low, high, count) => {
      if (high > 0) sum += count * ((2 * low * high) / (low + high));
    });
    return sum;
  }
}

function binOf(value: number): number {
  // NaN too.
  if (!(value >= 1)) return 0;
  let scaled = Math.floor(value);
  let decade = 0;
  while (scaled >= 100) {
    scaled = Math.floor(scaled / 10);
    decade++;
  }
  if (scaled >= 10) decade++;
  else scaled *= 10;
  return 1 + decade * BINS_PER_DECADE + (scaled - 10);
}

function lowerBound(bin: number): number {
  if (bin === 0) return 0;
  const decade = Math.floor((bin - 1) / BINS_PER_DECADE);
  return (((bin - 1) % BINS_PER_DECADE) + 10) * 10 ** (decade - 1);
}

function width(bin: number): number {
  return 10 ** (Math.floor((bin - 1) / BINS_PER_DECADE) - 1);
}
