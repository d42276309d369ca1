import type { StatsRegistry } from '../types.ts';
import { storeOf } from './registry.ts';

/** Envoy's `/reset_counters`: every counter is 0 again; gauges and histograms stay. */
export function resetCounters(stats: StatsRegistry): void {
  for (const counter of storeOf(stats).counters.values()) counter.reset();
}
