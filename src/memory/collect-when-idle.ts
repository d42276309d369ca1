import { collectGarbage } from './collect-garbage.ts';

const LOOK_MS = 1000;
/** Processor time in a second below which nobody waits for this process, microseconds. */
const IDLE_US = 20_000;
/** So many looks in a row. */
const LOOKS = 2;
/** What the heap must have grown by since the last time, bytes: a collection of little is not worth its pause. */
const GROWTH = 4 * 1024 * 1024;

/**
 * Gives memory back once the work is over. V8 collects when memory is asked for, so that what a start or a burst of requests made its heap
 * grow to stays for as long as nothing more is allocated. Looks once a second, never collects while the process is busy, and does not
 * keep it alive. Returns the function that ends it.
 */
export function collectWhenIdle(): () => void {
  let before = process.cpuUsage();
  let idle = 0;
  let settledAt = 0;
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    idle = user + system < IDLE_US ? idle + 1 : 0;
    if (idle < LOOKS || process.memoryUsage().heapTotal < settledAt + GROWTH) return;
    collectGarbage('all');
    settledAt = process.memoryUsage().heapTotal;
    idle = 0;
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
