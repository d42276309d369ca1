/** Moves traffic step by step, by what is measured on the way; goes back at once when a gate breaks. Pure but for what it is given. */
import { type Gate, type Reading, readGate, type Sample } from './gates.ts';

export interface ShiftPlan {
  /** Percent, growing. */
  steps: readonly number[];
  /** How long each step is watched, milliseconds. */
  everyMs: number;
  gates: readonly Gate[];
  /** Requests that a gate needs before it says anything. */
  minRequests: number;
  /** How much longer than `everyMs` a step may wait for these requests. */
  patienceMs: number;
}

export interface Steering {
  /** Sets the share and resolves when every proxy has it, with their number. Rejects when it cannot be, or somebody else changed the route. */
  set(percent: number): Promise<{ proxies: number; tookMs: number }>;
  /** Restores what was before the first step. */
  restore(): Promise<void>;
  /** Every request to the destination from now on. Returns the function that ends it. */
  watch(sample: (sample: Sample) => void): () => void;
  /** Aborted when whoever asked for it wants it undone. */
  signal: AbortSignal;
  say(event: ShiftEvent): void;
}

export type ShiftEvent =
  | { kind: 'applied'; percent: number; proxies: number; tookMs: number }
  | { kind: 'watching'; percent: number; readings: readonly Reading[]; requests: number; leftMs: number }
  | { kind: 'passed'; percent: number; readings: readonly Reading[]; requests: number }
  | { kind: 'broken'; percent: number; reason: string; readings: readonly Reading[]; requests: number }
  | { kind: 'restored' };

export type ShiftResult =
  | { done: true; percent: number }
  | { done: false; percent: number; why: 'gate' | 'no-traffic' | 'stopped'; reason: string };

const LOOK_MS = 200;

/** Runs a plan. Rejects with what `set` rejects with, after a restore; a restore that fails is what it rejects with then. */
export async function shift(plan: ShiftPlan, steering: Steering): Promise<ShiftResult> {
  let percent = 0;
  try {
    for (percent of plan.steps) {
      if (steering.signal.aborted) return await undo(percent, 'stopped', 'it was stopped');
      const { proxies, tookMs } = await steering.set(percent);
      steering.say({ kind: 'applied', percent, proxies, tookMs });
      const verdict = await watchStep(plan, percent, steering);
      if (verdict !== undefined) return await undo(percent, verdict.why, verdict.reason);
    }
  } catch (error) {
    if (!isForeign(error)) await steering.restore();
    throw error;
  }
  return { done: true, percent };

  async function undo(at: number, why: 'gate' | 'no-traffic' | 'stopped', reason: string): Promise<ShiftResult> {
    await steering.restore();
    steering.say({ kind: 'restored' });
    return { done: false, percent: at, why, reason };
  }
}

/** Somebody else's change must not be undone. */
export const isForeign = (error: unknown): boolean =>
  ['E_FILE_CHANGED', 'E_OBJECT_CHANGED'].includes((error as { code?: string }).code ?? '');

/** undefined when the step holds. */
async function watchStep(
  plan: ShiftPlan,
  percent: number,
  steering: Steering,
): Promise<{ why: 'gate' | 'no-traffic' | 'stopped'; reason: string } | undefined> {
  const { gates, everyMs, minRequests, patienceMs } = plan;
  const samples: Sample[] = [];
  const stop = steering.watch((sample) => samples.push(sample));
  try {
    const started = performance.now();
    for (;;) {
      const readings = gates.map((gate) => readGate(gate, samples));
      const requests = samples.length;
      const enough = requests >= minRequests;
      const broken = enough ? readings.find((reading) => !reading.holds) : undefined;
      if (broken) {
        const reason = `${broken.gate.text} does not hold: ${broken.shown} of ${requests} requests`;
        steering.say({ kind: 'broken', percent, reason, readings, requests });
        return { why: 'gate', reason };
      }
      if (steering.signal.aborted) return { why: 'stopped', reason: 'it was stopped' };
      const leftMs = everyMs - (performance.now() - started);
      if (leftMs <= 0 && (enough || gates.length === 0)) {
        steering.say({ kind: 'passed', percent, readings, requests });
        return undefined;
      }
      if (leftMs <= -patienceMs) {
        const reason = `only ${requests} requests came in ${Math.round((everyMs + patienceMs) / 1000)} s; ${minRequests} are needed to judge`;
        steering.say({ kind: 'broken', percent, reason, readings, requests });
        return { why: 'no-traffic', reason };
      }
      steering.say({ kind: 'watching', percent, readings, requests, leftMs: Math.max(0, leftMs) });
      await pause(Math.min(LOOK_MS, Math.max(1, leftMs > 0 ? leftMs : LOOK_MS)), steering.signal);
    }
  } finally {
    stop();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
