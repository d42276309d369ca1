/** One agent at a time for a data directory: a file that names the process that holds it. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { FairleadError } from '../src/errors.ts';
import { processIdentity } from './process-identity.ts';

/** Several processes may find the same stale lock; each round one of them gets further. */
const ROUNDS = 10;

/**
 * Takes the lock. Returns the function that gives it back (idempotent). Throws E_AGENT_RUNNING while a living process holds it, and the
 * file system's own errors.
 *
 * @param lock the file: the process id on its first line, its start on the second
 * @param directory named in the error
 * @param busy the error when it is held, where something else than an agent holds it
 */
export function takeDirectoryLock(lock: string, directory: string, busy = agentRunning): () => void {
  const mine = `${process.pid}\n${processIdentity(process.pid) ?? ''}\n`;
  const temporary = `${lock}.${process.pid}.tmp`;
  // Linked into place whole: nobody ever reads a lock that is half written.
  writeFileSync(temporary, mine, { mode: 0o600 });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (placed(temporary, lock, mine)) return release;
      const found = readText(lock);
      if (found === undefined) continue;
      const holder = livingHolder(found);
      if (holder !== undefined) throw busy(holder, directory);
      removeStale(lock, found);
    }
    throw new Error(`${lock} could not be taken`);
  } finally {
    rmSync(temporary, { force: true });
  }

  function release(): void {
    // Whoever found it stale may have it by now.
    if (readText(lock) === mine) rmSync(lock, { force: true });
  }
}

function agentRunning(holder: number, directory: string): FairleadError {
  return new FairleadError('E_AGENT_RUNNING', `an agent is running already (process ${holder}, data directory ${directory})`, {
    next: 'Stop it with `fairlead agent stop`, or give this one a directory of its own with --data DIR.',
  });
}

function placed(temporary: string, lock: string, text: string): boolean {
  try {
    linkSync(temporary, lock);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  }
  // A file system without hard links.
  try {
    writeFileSync(lock, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves it aside first: between reading and removing, another process may have taken it anew. */
function removeStale(lock: string, found: string): void {
  const aside = `${lock}.${process.pid}.stale.tmp`;
  try {
    renameSync(lock, aside);
    if (readText(aside) !== found) linkSync(aside, lock);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** A lock that names ourselves is an earlier life's: process ids come again, in containers always the same. */
function livingHolder(text: string): number | undefined {
  const [first = '', started = ''] = text.split('\n');
  const pid = Number(first);
  if (pid === process.pid) return undefined;
  const identity = processIdentity(pid);
  if (identity === undefined) return undefined;
  return started === '' || started === identity ? pid : undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
