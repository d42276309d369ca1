import { FairleadError } from '../errors.ts';
import { createBackOff, pause } from './back-off.ts';
import type { ApiClient } from './client.ts';

/** Whether an API server can be reached; one asks for all that wait. */
export interface Reachability {
  /** Resolves when the API server answers again. All watches of a cluster wait for one probe, then go on spread over a short time. */
  wait(error: Error): Promise<void>;
  /** Something went well: the next outage begins with short pauses again. */
  succeeded(): void;
  /** Why it cannot be reached now, and since when (milliseconds since 1970). */
  outage(): { error: Error; since: number } | undefined;
}

/** Within 5 s of its return an API server is to be watched again: a pause, the answer, and the spread have to fit. */
const LONGEST_MS = 3000;
const FIRST_MS = 100;
const SPREAD_MS = 500;
const PROBE_MS = 3000;

/** @param random gives 0 to 1; for tests */
export function createReachability(client: ApiClient, signal: AbortSignal, random: () => number = Math.random): Reachability {
  const backOff = createBackOff({ first: FIRST_MS, longest: LONGEST_MS, random });
  let outage: { error: Error; since: number } | undefined;
  let probing: Promise<void> | undefined;

  async function probe(): Promise<void> {
    while (!signal.aborted) {
      await pause(backOff.next(), signal);
      try {
        // Everybody may ask for it.
        await client.request('/version', { signal, timeoutMs: PROBE_MS });
        return;
      } catch (error) {
        if (!isUnreachable(error as Error)) return;
        if (outage !== undefined) outage.error = error as Error;
      }
    }
  }

  return {
    async wait(error) {
      outage ??= { error, since: Date.now() };
      probing ??= probe().finally(() => {
        probing = undefined;
      });
      await probing;
      await pause(random() * SPREAD_MS, signal);
    },
    succeeded() {
      outage = undefined;
      backOff.reset();
    },
    outage: () => outage,
  };
}

/** True when there was no answer at all. */
export function isUnreachable(error: Error): boolean {
  return error instanceof FairleadError && error.code === 'E_CLUSTER_UNREACHABLE';
}
