import { collectGarbage } from '../../../src/memory/collect-garbage.ts';

/** So much may pass between two collections, bytes. */
const BETWEEN = 8 * 1024 * 1024;

let passed = 0;

/**
 * Counts bytes of bodies that pass, and has V8 collect its young generation every 8 MiB. Left alone it lets some 64 MiB of
 * buffers pile up that nobody uses any more, because little of each is in its own heap.
 */
export function collectStreamed(bytes: number): void {
  passed += bytes;
  if (passed < BETWEEN) return;
  passed = 0;
  collectGarbage('young');
}
