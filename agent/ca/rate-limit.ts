/** Token buckets by caller. */
export interface RateLimit {
  /** Takes one; false when there is none left. `now`: milliseconds of a clock that only goes forward. */
  take(caller: string, limit: { perMinute: number; burst: number }, now: number): boolean;
}

/** More callers than that are not remembered: full buckets are forgotten first, then the ones that were asked for longest ago. */
const MOST = 10_000;

export function createRateLimit(): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(caller, { perMinute, burst }, now) {
      const bucket = buckets.get(caller);
      const left = bucket ? Math.min(burst, bucket.left + ((now - bucket.at) * perMinute) / 60_000) : burst;
      buckets.delete(caller);
      if (buckets.size >= MOST) {
        const full = (b: { left: number; at: number }): boolean => b.left + ((now - b.at) * perMinute) / 60_000 >= burst;
        for (const [name, b] of buckets) if (full(b)) buckets.delete(name);
        const [oldest] = buckets.keys();
        if (buckets.size >= MOST && oldest !== undefined) buckets.delete(oldest);
      }
      buckets.set(caller, { left: left >= 1 ? left - 1 : left, at: now });
      return left >= 1;
    },
  };
}
