import type { LiveCondition, WantedCondition } from './live-object.ts';

/** How long something is so before it is said, in milliseconds. */
export interface SettleTiming {
  /** Proxies take a change within seconds: one write says that they have, in place of two. */
  pending: number;
  /** What was applied already and is not any more: a proxy that comes, an agent that starts anew. */
  relapse: number;
  /** There are no proxies, perhaps because no agent has reported yet. */
  nobody: number;
}

export const SETTLE_TIMING: SettleTiming = { pending: 5000, relapse: 120_000, nobody: 15_000 };

/** Reasons that pass by themselves most of the time. */
const PASSING: ReadonlySet<string> = new Set(['Pending', 'NoProxies', 'NoResources']);

/** Holds back what may be over in a moment. */
export interface Settling {
  /**
   * Whether it is to be said now, else in how many milliseconds.
   *
   * @param key of the object
   * @param live what is said of the same thing now
   */
  wait(key: string, wanted: WantedCondition, live: LiveCondition | undefined, generation: number, now: number): number;
  /** Forgets objects that are gone. */
  keepOnly(has: (key: string) => boolean): void;
}

export function createSettling(timing: SettleTiming): Settling {
  const since = new Map<string, { text: string; at: number }>();
  return {
    wait(key, wanted, live, generation, now) {
      if (!PASSING.has(wanted.reason)) {
        since.delete(key);
        return 0;
      }
      // It is said already: only its words may be others.
      if (live?.reason === wanted.reason && String(live.observedGeneration) === String(generation)) return 0;
      const text = `${wanted.reason} ${generation}`;
      let begun = since.get(key);
      if (begun?.text !== text) {
        begun = { text, at: now };
        since.set(key, begun);
      }
      const applied = live?.status === 'True' && String(live.observedGeneration) === String(generation);
      const pause = applied ? timing.relapse : wanted.reason === 'Pending' ? timing.pending : timing.nobody;
      return Math.max(0, begun.at + pause - now);
    },
    keepOnly(has) {
      for (const key of since.keys()) if (!has(key)) since.delete(key);
    },
  };
}
