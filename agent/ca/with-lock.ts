import { readTextIfThere, removeLeftovers, takeLock } from './directory.ts';

/** How long a command waits for another one that changes the same CA. */
const PATIENCE_MS = 10_000;

/**
 * Runs what changes the CA while nobody else does; where its keys and state are in a Secret (`shared.json`), changes that as well. What killed
 * processes left (temporary files, keys that no state names) is removed first. Throws E_CA_BUSY after ten seconds, E_CA_DIRECTORY.
 */
export function withLock<T>(directory: string, work: () => Promise<T> | T): Promise<T> {
  // The lock is the process's: within it, one waits for the other here.
  const turn = (turns.get(directory) ?? Promise.resolve()).then(() => locked(directory, work));
  const settled = turn.catch(() => undefined);
  turns.set(directory, settled);
  void settled.then(() => turns.get(directory) === settled && turns.delete(directory));
  return turn;
}

const turns = new Map<string, Promise<unknown>>();

async function locked<T>(directory: string, work: () => Promise<T> | T): Promise<T> {
  const unlock = await takeLock(directory, 'ca.lock', PATIENCE_MS);
  try {
    const marker = readTextIfThere(directory, 'shared.json');
    if (marker !== undefined) return await (await import('./shared/change.ts')).changeShared(directory, marker, work);
    removeLeftovers(directory);
    return await work();
  } finally {
    unlock();
  }
}
