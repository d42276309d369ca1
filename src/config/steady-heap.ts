import { setFlagsFromString } from 'node:v8';
import { collectGarbage } from '../memory/collect-garbage.ts';

/** What an object of a cluster takes as text, in UTF-16 units, more or less. */
const OBJECT_SIZE = 500;

/** What so many objects would be as text, in UTF-16 units. */
export function sizeOfObjects(count: number): number {
  return count * OBJECT_SIZE;
}

/** Below this much text the young generation does not grow enough to matter. UTF-16 units. */
const LARGE = 2_000_000;

/** From here on what a step leaves behind is worth a collection: for less it costs more time than the memory is worth. UTF-16 units. */
const WORTH_COLLECTING = 30_000_000;

/** After a step over a configuration of that size: what the step needed is collected before the next one makes the process larger. */
export function endStep(size: number): void {
  if (size >= WORTH_COLLECTING) collectGarbage('both');
}

/**
 * For a process that ends soon: V8 marks what is alive when it must, and not bit by bit while the process works, which pays for that with
 * every write (10 % of the time of a small analysis). V8 reads the flag anew each time.
 */
export function markAtOnce(): void {
  setFlagsFromString('--no-incremental-marking');
}

/** How many work in it now. */
let working = 0;

/**
 * Runs `work` with V8's young generation kept at its present size when `size` is large. Nearly all that a parser makes of a large
 * configuration stays alive, which V8 takes as a reason to double the young generation again and again, twice over: for 20,000 objects
 * 130 MB that hold nothing afterwards. The flag is one that V8 reads anew at each collection, and costs no time here.
 */
export async function withSteadyHeap<T>(size: number, work: () => Promise<T>): Promise<T> {
  if (size < LARGE) return work();
  if (working++ === 0) setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await work();
  } finally {
    if (--working === 0) setFlagsFromString('--semi-space-growth-factor=2');
  }
}
