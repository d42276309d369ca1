import type { StatsRegistry } from '../types.ts';
import { QUANTILES } from './quantiles.ts';
import { storeOf } from './registry.ts';
import { nameFilter, type StatsFilter } from './stats-filter.ts';

/**
 * Envoy's `/stats`: `name: value` lines sorted by name, counters and gauges together, then histograms as
 * `P50(interval,cumulative)`. Intervals are not kept apart: `nan`, as Envoy prints for one without values.
 */
export function statsText(stats: StatsRegistry, only: StatsFilter = {}): string {
  const matches = nameFilter(only.filter);
  if (typeof matches !== 'function') return matches.error;
  const { counters, gauges, histograms } = storeOf(stats);
  const lines: string[] = [];
  for (const map of [counters, gauges]) {
    for (const [name, stat] of map) if ((!only.usedOnly || stat.used) && matches(name)) lines.push(`${name}: ${stat.value}`);
  }
  lines.sort(byName);
  const below: string[] = [];
  for (const [name, histogram] of histograms) {
    if ((only.usedOnly && histogram.count === 0) || !matches(name)) continue;
    const values = histogram.quantiles(QUANTILES.map((q) => q / 100));
    below.push(`${name}: ${histogram.count === 0 ? 'No recorded values' : values.map((v, i) => `P${QUANTILES[i]}(nan,${v})`).join(' ')}`);
  }
  below.sort(byName);
  return lines
    .concat(below)
    .map((line) => `${line}\n`)
    .join('');
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
