import { setFlagsFromString } from 'node:v8';
import { collectGarbage } from '../memory/collect-garbage.ts';

/** Below this much text the young generation does not grow enough to matter. UTF-16 units. */
const LARGE = 2_000_000;

/** After a step over a configuration of that size: what the step needed is collected before the next one makes the process larger. */
export function endStep(size: number): void {
  if (size >= LARGE) collectGarbage('both');
}

/**
 * Runs `work` with V8's young generation kept at its present size when `size` is large. Nearly all that a parser makes of a large
 * configuration stays alive, which V8 takes as a reason to double the young generation again and again, twice over: for 20,000 objects
 * 130 MB that hold nothing afterwards. The flag is one that V8 reads anew at each collection, and costs no time here.
 */
export async function withSteadyHeap<T>(size: number, work: () => Promise<T>): Promise<T> {
  if (size < LARGE) return work();
  setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await work();
  } finally {
    setFlagsFromString('--semi-space-growth-factor=2');
  }
}
