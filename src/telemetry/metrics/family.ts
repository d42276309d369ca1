import { ENVOY_BUCKETS } from './buckets.ts';

/** One line of the text format without its name: `_bucket{le="5"} 3`. */
export interface Sample {
  suffix: '' | '_bucket' | '_sum' | '_count';
  labels: string;
  value: number;
}

/** All series of one metric. A series is found by the text of its labels. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  samples(): Iterable<Sample>;
}

/** The labels of the one series that takes what a full family has no room for. */
export const OVERFLOW = 'fairlead_overflow="true"';

/** Finds a series, makes it, or gives the overflow series when there are `limit` already. */
function seriesIn<T>(limit: number, make: () => T, overflowed: () => void): { all: Map<string, T>; at(labels: string): T } {
  const all = new Map<string, T>();
  return {
    all,
    at(labels) {
      let series = all.get(labels);
      if (series !== undefined) return series;
      let key = labels;
      if (all.size >= limit) {
        overflowed();
        key = OVERFLOW;
        series = all.get(key);
        if (series !== undefined) return series;
      }
      series = make();
      all.set(key, series);
      return series;
    },
  };
}

export interface CounterFamily extends Family {
  add(labels: string, by: number): void;
}

/** A family of counters with at most `limit` series, and one more for the rest; `overflowed` is called for each value that goes there. */
export function counterFamily(name: string, help: string, limit: number, overflowed: () => void): CounterFamily {
  const { all, at } = seriesIn(limit, () => ({ value: 0 }), overflowed);
  return {
    name,
    help,
    type: 'counter',
    add(labels, by) {
      at(labels).value += by;
    },
    *samples() {
      for (const [labels, { value }] of all) yield { suffix: '', labels, value };
    },
  };
}

export interface HistogramFamily extends Family {
  observe(labels: string, value: number): void;
}

/** A family of histograms, bounded as `counterFamily`. `bounds` are the buckets' upper ones. */
export function histogramFamily(
  name: string,
  help: string,
  limit: number,
  overflowed: () => void,
  bounds: readonly number[] = ENVOY_BUCKETS,
): HistogramFamily {
  const { all, at } = seriesIn(limit, () => ({ counts: new Array<number>(bounds.length + 1).fill(0), sum: 0, count: 0 }), overflowed);
  return {
    name,
    help,
    type: 'histogram',
    observe(labels, value) {
      const series = at(labels);
      let bucket = bounds.findIndex((bound) => value <= bound);
      if (bucket < 0) bucket = bounds.length;
      series.counts[bucket]!++;
      series.sum += value;
      series.count++;
    },
    *samples() {
      for (const [labels, { counts, sum, count }] of all) {
        const comma = labels === '' ? '' : `${labels},`;
        let below = 0;
        for (const [i, bound] of bounds.entries()) {
          below += counts[i]!;
          yield { suffix: '_bucket', labels: `${comma}le="${bound}"`, value: below };
        }
        yield { suffix: '_bucket', labels: `${comma}le="+Inf"`, value: count };
        yield { suffix: '_sum', labels, value: sum };
        yield { suffix: '_count', labels, value: count };
      }
    },
  };
}
