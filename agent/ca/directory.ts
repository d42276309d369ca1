/** The folder of a CA: `state.json`, `keys/`, `audit.jsonl`, `policy.yaml`, `tokens.json`, `agents.json`; all for its owner alone. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadError } from '../../src/errors.ts';
import { takeDirectoryLock } from '../directory-lock.ts';
import { makeFolder } from '../make-folder.ts';
import { replaceFile } from '../replace-file.ts';
import { type CaState, stateProblem } from './state.ts';

/** `FAIRLEAD_CA_DIR`, else `fairlead/ca` in the user's data directory. */
export function defaultCaDirectory(): string {
  const named = process.env['FAIRLEAD_CA_DIR'];
  if (named) return resolve(named);
  return join(process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'fairlead', 'ca');
}

/** The state, undefined when there is no CA. Throws E_CA_DIRECTORY. */
export function readStateIfThere(directory: string): CaState | undefined {
  const file = join(directory, 'state.json');
  const text = readTextIfThere(directory, 'state.json');
  if (text === undefined) return undefined;
  const state = parse(text, file);
  const problem = stateProblem(state);
  if (problem !== undefined) throw damaged(file, problem);
  return state as CaState;
}

/** Whether there is a CA. Throws E_CA_DIRECTORY. */
export const hasCa = (directory: string): boolean => readStateIfThere(directory) !== undefined;

/** Throws E_CA_MISSING, E_CA_DIRECTORY. */
export function readState(directory: string): CaState {
  const state = readStateIfThere(directory);
  if (state !== undefined) return state;
  throw new FairleadError('E_CA_MISSING', `there is no certificate authority in ${directory}`, {
    next: 'Make one with `fairlead ca init`, or name its directory with --ca-dir DIR.',
  });
}

/** A file of the CA as text; undefined when it is not there. Throws E_CA_DIRECTORY. */
export function readTextIfThere(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(directory, error);
  }
}

/** Replaces a file as a whole. Throws E_CA_DIRECTORY; the old content is there then. */
export function writeText(directory: string, name: string, text: string): void {
  try {
    replaceFile(join(directory, name), text);
  } catch (error) {
    throw unusable(directory, error);
  }
}

export function writeState(directory: string, state: CaState): void {
  writeText(directory, 'state.json', `${JSON.stringify(state, null, 2)}\n`);
}

/** Takes a lock of the CA's folder, making the folder when needed; returns what gives it back. Throws E_CA_BUSY, E_CA_DIRECTORY. */
export async function takeLock(directory: string, name: string, patienceMs: number): Promise<() => void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      makeFolder(directory);
      makeFolder(join(directory, 'keys'));
      return takeDirectoryLock(join(directory, name), directory, busy);
    } catch (error) {
      if (!(error instanceof FairleadError)) throw unusable(directory, error);
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

const busy = (holder: number, directory: string): FairleadError =>
  new FairleadError('E_CA_BUSY', `the certificate authority in ${directory} is held by another process (${holder})`, {
    next: 'Wait until that process ends, or end it.',
  });

/** Temporary files, and keys that no state names. Only with the lock held. */
export function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory))
    if (name.endsWith('.tmp') && !name.includes('.lock.')) rmSync(join(directory, name), { force: true });
  // A state that cannot be read must not cost keys.
  const state = readStateIfThere(directory);
  const named = new Set(state?.authorities.flatMap(({ rootKey, signerKey }) => [rootKey, signerKey]));
  for (const name of readdirSync(join(directory, 'keys'))) if (!named.has(name)) rmSync(join(directory, 'keys', name), { force: true });
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(file, (error as Error).message);
  }
}

const damaged = (file: string, why: string): FairleadError =>
  new FairleadError('E_CA_DIRECTORY', `${file} is damaged: ${why}`, { next: 'Bring the directory back from a backup.' });

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'there is no space left on the disk',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
  EISDIR: 'a folder is where a file should be',
};

/** E_CA_DIRECTORY for what the file system said. */
export function unusable(directory: string, error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new FairleadError('E_CA_DIRECTORY', `the CA’s directory ${directory} cannot be used: ${WHY[code] ?? message}`, {
    next: 'Give another directory with --ca-dir DIR, or set FAIRLEAD_CA_DIR.',
    cause: error,
  });
}
