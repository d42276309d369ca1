/** The shared files of a CA in a directory. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../make-folder.ts';
import { readTextIfThere, unusable, writeText } from '../directory.ts';
import { type CaFiles, isShared } from './state-secret.ts';

/** Throws E_CA_DIRECTORY. */
export function readFiles(directory: string): CaFiles {
  const files = new Map<string, string>();
  try {
    const names = [...readdirSync(directory), ...readdirSync(join(directory, 'keys')).map((name) => `keys/${name}`)];
    for (const name of names.filter(isShared)) files.set(name, readTextIfThere(directory, name) as string);
  } catch (error) {
    throw unusable(directory, error);
  }
  return files;
}

/** Makes the directory's files these and no others; those that are right already are not touched. Throws E_CA_DIRECTORY. */
export function writeFiles(directory: string, files: CaFiles): void {
  try {
    makeFolder(join(directory, 'keys'));
  } catch (error) {
    throw unusable(directory, error);
  }
  const before = readFiles(directory);
  // The state names keys, so it comes after they are there, and before others go.
  const order = [...files.keys()].sort((a, b) => Number(a === 'state.json') - Number(b === 'state.json'));
  for (const name of order) {
    const text = files.get(name) as string;
    if (before.get(name) === text) continue;
    const [folder, file] = name.startsWith('keys/') ? [join(directory, 'keys'), name.slice(5)] : [directory, name];
    writeText(folder, file, text);
  }
  for (const name of before.keys()) if (!files.has(name)) rmSync(join(directory, name), { force: true });
}

export function sameFiles(a: CaFiles, b: CaFiles): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}
