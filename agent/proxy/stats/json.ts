import type { StatsRegistry } from '../types.ts';
import { QUANTILES } from './quantiles.ts';
import { storeOf } from './registry.ts';
import { nameFilter, type StatsFilter } from './stats-filter.ts';

interface Computed {
  name: string;
  values: { cumulative: number | null; interval: null }[];
}

/** Envoy's `/stats?format=json`: counters and gauges by name, then one element with all histograms. */
export interface StatsJson {
  stats: ({ name: string; value: number } | { histograms: { supported_quantiles: readonly number[]; computed_quantiles: Computed[] } })[];
}

/** The stats as Envoy's JSON. A filter that is no regular expression gives `{ error }`. */
export function statsJson(stats: StatsRegistry, only: StatsFilter = {}): StatsJson | { error: string } {
  const matches = nameFilter(only.filter);
  if (typeof matches !== 'function') return matches;
  const store = storeOf(stats);
  const values: { name: string; value: number }[] = [];
  for (const map of [store.counters, store.gauges]) {
    for (const [name, stat] of map) if ((!only.usedOnly || stat.used) && matches(name)) values.push({ name, value: stat.value });
  }
  const computed: Computed[] = [];
  for (const [name, histogram] of store.histograms) {
    if ((only.usedOnly && histogram.count === 0) || !matches(name)) continue;
    const quantiles = histogram.quantiles(QUANTILES.map((q) => q / 100));
    computed.push({ name, values: quantiles.map((v) => ({ cumulative: Number.isNaN(v) ? null : v, interval: null })) });
  }
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const out: StatsJson['stats'] = values.sort(byName);
  if (computed.length > 0) {
    out.push({ histograms: { supported_quantiles: QUANTILES, computed_quantiles: computed.sort(byName) } });
  }
  return { stats: out };
}
