/** Where Fairlead is installed. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/**
 * The folder of Fairlead's own package.json: the same from the sources and from the bundle in dist/, whose files lie elsewhere.
 * Throws when there is none above this file, which means a broken installation.
 */
export function packageRoot(): string {
  found ??= search(import.meta.dirname);
  return found;
}

function search(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isFairlead(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json of fairlead above ${start}: the installation is incomplete`);
  }
}

function isFairlead(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'fairlead';
  } catch {
    return false;
  }
}
