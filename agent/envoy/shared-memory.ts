import { rmSync } from 'node:fs';
import { readBaseId } from './command-line.ts';

/** Removes what Envoys of a base id leave behind when they have ended: a page of shared memory, by which hot restarts find each other. */
export function removeSharedMemory(baseIdFile: string): void {
  const baseId = readBaseId(baseIdFile);
  if (baseId !== undefined && process.platform === 'linux') rmSync(`/dev/shm/envoy_shared_memory_${baseId}0`, { force: true });
}
