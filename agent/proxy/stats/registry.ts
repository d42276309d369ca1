import type { StatsRegistry } from '../types.ts';
import { LogLinearHistogram } from './log-linear-histogram.ts';
import { StatCounter } from './stat-counter.ts';
import { StatGauge } from './stat-gauge.ts';

/** All stats of one proxy, by name, for those who print them. */
export interface StatsStore {
  readonly counters: ReadonlyMap<string, StatCounter>;
  readonly gauges: ReadonlyMap<string, StatGauge>;
  readonly histograms: ReadonlyMap<string, LogLinearHistogram>;
}

const stores = new WeakMap<StatsRegistry, StatsStore>();
const none: StatsStore = { counters: new Map(), gauges: new Map(), histograms: new Map() };

/** What a registry made by `createStatsRegistry` holds; nothing for any other. */
export function storeOf(registry: StatsRegistry): StatsStore {
  return stores.get(registry) ?? none;
}

/** The stats of one proxy. Asking for a name makes it; the same name is the same object until it is removed. */
export function createStatsRegistry(): StatsRegistry {
  const counters = new Map<string, StatCounter>();
  const gauges = new Map<string, StatGauge>();
  const histograms = new Map<string, LogLinearHistogram>();

  function getOrMake<T>(map: Map<string, T>, name: string, make: () => T): T {
    let found = map.get(name);
    if (found === undefined) {
      found = make();
      map.set(name, found);
    }
    return found;
  }

  const registry: StatsRegistry = {
    counter: (name) => getOrMake(counters, name, () => new StatCounter()),
    gauge: (name) => getOrMake(gauges, name, () => new StatGauge()),
    histogram: (name) => getOrMake(histograms, name, () => new LogLinearHistogram()),
    remove(prefix) {
      const start = `${prefix}.`;
      for (const map of [counters, gauges, histograms]) {
        for (const name of map.keys()) if (name.startsWith(start)) map.delete(name);
      }
    },
  };
  stores.set(registry, { counters, gauges, histograms });
  return registry;
}
