/** Writes, one an object, no faster than an API server likes it. */
import { ApiStatusError, isForbidden } from '../../src/kubernetes/api-error.ts';
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import type { Log } from '../log.ts';

/** A write that waits. */
export interface QueuedWrite {
  /** Of its object, as it was when the write was made of it: after a refusal only another one is tried. */
  readonly version: string;
  /** For the log: `VirtualService shop/reviews`. */
  readonly origin: string;
  /** What may be forbidden as a whole. */
  readonly kind: string;
  send(signal: AbortSignal): Promise<void>;
}

/** Writes a second, and how many may come at once after a pause. */
export interface WriteRate {
  readonly perSecond: number;
  readonly burst: number;
}

export const WRITE_RATE: WriteRate = { perSecond: 20, burst: 40 };

export interface WriteQueue {
  /** Replaces what waits for the same object. */
  put(key: string, write: QueuedWrite): void;
  /** Drops what waits and is not needed any more. */
  keepOnly(needed: ReadonlySet<string>): void;
  readonly size: number;
}

/** A kind that may not be written is left alone for so long. */
const FORBIDDEN_MS = 300_000;
const PARALLEL = 4;

/** @param written called after each write that went well */
export function createWriteQueue(options: { rate: WriteRate; log: Log; signal: AbortSignal; written(): void }): WriteQueue {
  const { rate, log, signal } = options;
  const waiting = new Map<string, QueuedWrite>();
  const sending = new Set<string>();
  const forbidden = new Map<string, number>();
  /** The version of an object with which a write was refused for good. */
  const refused = new Map<string, string>();
  const backOff = createBackOff({ first: 1000, longest: 60_000 });
  let tokens = rate.burst;
  let filledAt = performance.now();
  let wake = Promise.withResolvers<void>();
  let notBefore = 0;
  let failed = false;

  async function token(): Promise<void> {
    for (;;) {
      const now = performance.now();
      tokens = Math.min(rate.burst, tokens + ((now - filledAt) / 1000) * rate.perSecond);
      filledAt = now;
      const wait = Math.max(notBefore - now, tokens >= 1 ? 0 : ((1 - tokens) / rate.perSecond) * 1000);
      if (signal.aborted) return;
      if (wait <= 0) break;
      await pause(wait, signal);
    }
    tokens--;
  }

  function next(): [string, QueuedWrite] | undefined {
    for (const entry of waiting) if (!sending.has(entry[0])) return entry;
    return undefined;
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      if (next() === undefined) {
        await Promise.race([wake.promise, pause(60_000, signal)]);
        continue;
      }
      await token();
      const entry = next();
      if (entry === undefined || signal.aborted) continue;
      const [key, write] = entry;
      waiting.delete(key);
      sending.add(key);
      try {
        await write.send(signal);
        if (failed) log.info('status is written again');
        failed = false;
        backOff.reset();
      } catch (error) {
        if (!signal.aborted) wentWrong(key, write, error as Error);
      } finally {
        sending.delete(key);
      }
      options.written();
    }
  }

  function wentWrong(key: string, write: QueuedWrite, error: Error): void {
    if (isForbidden(error)) {
      if (!forbidden.has(write.kind)) log.warning('status may not be written', { of: write.kind, why: error.message });
      forbidden.set(write.kind, performance.now() + FORBIDDEN_MS);
      return;
    }
    const status = error instanceof ApiStatusError ? error.status : undefined;
    // Written by somebody else meanwhile: its watch tells, and it is looked at anew.
    if (status === 409) return;
    if (status === 404) {
      // Gone, or of a definition without a status.
      refused.set(key, write.version);
      return;
    }
    if (status !== undefined && status < 500 && status !== 429) {
      refused.set(key, write.version);
      log.warning('the API server refuses a status', { of: write.origin, why: error.message });
      return;
    }
    if (!failed) log.warning('status cannot be written; it is tried again', { why: error.message });
    failed = true;
    const asked = error instanceof ApiStatusError ? (error.retryAfterMs ?? 0) : 0;
    notBefore = performance.now() + Math.max(asked, 200 + backOff.next());
    if (!waiting.has(key)) waiting.set(key, write);
  }

  for (let i = 0; i < PARALLEL; i++) void work();
  return {
    put(key, write) {
      if (refused.get(key) === write.version || (forbidden.get(write.kind) ?? 0) > performance.now()) return;
      waiting.set(key, write);
      wake.resolve();
      wake = Promise.withResolvers();
    },
    keepOnly(needed) {
      for (const key of waiting.keys()) if (!needed.has(key)) waiting.delete(key);
      for (const key of refused.keys()) if (!needed.has(key)) refused.delete(key);
    },
    get size() {
      return waiting.size + sending.size;
    },
  };
}
