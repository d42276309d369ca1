/** When a process that ended is started again: the first time at once, then each time later. A crash loop must not eat the machine. */

const STEPS_MS = [0, 100, 250, 500, 1000, 2000, 5000, 10_000];
/** A process that lived this long was healthy: the back-off starts anew. */
const HEALTHY_AFTER_MS = 30_000;

export interface BackOff {
  /** Milliseconds to wait before the next start. */
  next(): number;
  /** A process that ran since then (milliseconds since 1970) has ended. */
  endedAfter(since: number): void;
}

export function createBackOff(): BackOff {
  let failures = 0;
  return {
    next: () => STEPS_MS[Math.min(failures++, STEPS_MS.length - 1)] as number,
    endedAfter(since) {
      if (Date.now() - since > HEALTHY_AFTER_MS) failures = 0;
    },
  };
}
