import { ENVOY_BUCKETS } from '../../../src/telemetry/metrics/buckets.ts';
import type { StatsRegistry } from '../types.ts';
import type { LogLinearHistogram } from './log-linear-histogram.ts';
import { storeOf } from './registry.ts';
import { nameFilter, type StatsFilter } from './stats-filter.ts';
import { extractTags } from './tags.ts';

type Series<T> = { labels: string; stat: T };

/**
 * Envoy's `/stats/prometheus`: text exposition format 0.0.4, names with `envoy_` before and everything but letters, digits
 * and `_` replaced; counters, gauges, then histograms, each sorted by name.
 */
export function prometheusText(stats: StatsRegistry, only: StatsFilter = {}): string {
  const matches = nameFilter(only.filter);
  if (typeof matches !== 'function') return matches.error;
  const { counters, gauges, histograms } = storeOf(stats);
  const out: string[] = [];
  const values: [type: string, map: ReadonlyMap<string, { value: number; used: boolean }>][] = [
    ['counter', counters],
    ['gauge', gauges],
  ];
  for (const [type, map] of values) {
    const wanted = grouped(map, (name, stat) => (!only.usedOnly || stat.used) && matches(name));
    for (const [metric, series] of wanted) {
      out.push(`# TYPE ${metric} ${type}\n`);
      for (const { labels, stat } of series) out.push(`${metric}{${labels}} ${stat.value}\n`);
    }
  }
  for (const [metric, series] of grouped(histograms, (name, h) => (!only.usedOnly || h.count > 0) && matches(name))) {
    out.push(`# TYPE ${metric} histogram\n`);
    for (const { labels, stat } of series) out.push(histogramLines(metric, labels, stat));
  }
  return out.join('');
}

function grouped<T>(stats: ReadonlyMap<string, T>, wanted: (name: string, stat: T) => boolean): [string, Series<T>[]][] {
  const groups = new Map<string, Series<T>[]>();
  for (const [full, stat] of stats) {
    if (!wanted(full, stat)) continue;
    const { name, tags } = extractTags(full);
    const metric = `envoy_${sanitized(name)}`;
    const labels = tags.map(([tag, value]) => `${sanitized(tag)}="${escaped(value)}"`).join(',');
    const series = groups.get(metric);
    if (series === undefined) groups.set(metric, [{ labels, stat }]);
    else series.push({ labels, stat });
  }
  for (const series of groups.values()) series.sort((a, b) => (a.labels < b.labels ? -1 : a.labels > b.labels ? 1 : 0));
  return [...groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function histogramLines(metric: string, labels: string, histogram: LogLinearHistogram): string {
  const counts = new Array<number>(ENVOY_BUCKETS.length).fill(0);
  histogram.forEachBin((low, _high, count) => {
    // Envoy: the bin that holds the bound counts as below it.
    for (let i = ENVOY_BUCKETS.length - 1; i >= 0 && low <= ENVOY_BUCKETS[i]!; i--) counts[i]! += count;
  });
  const prefix = labels === '' ? '' : `${labels},`;
  let lines = '';
  for (const [i, bound] of ENVOY_BUCKETS.entries()) lines += `${metric}_bucket{${prefix}le="${bound}"} ${counts[i]}\n`;
  lines += `${metric}_bucket{${prefix}le="+Inf"} ${histogram.count}\n`;
  return `${lines}${metric}_sum{${labels}} ${decimal(histogram.sum())}\n${metric}_count{${labels}} ${histogram.count}\n`;
}

/** C's `%.32g` without trailing zeros, as Envoy prints sums. */
function decimal(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toPrecision(32).replace(/0+$/, '');
}

function sanitized(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}
