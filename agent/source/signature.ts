/** What is in files and folders of configuration, as far as it tells that something changed. */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Signature {
  /** Equal as long as nothing changed. */
  text: string;
  /** Folders by path, with what tells one from another that took its place. */
  folders: ReadonlyMap<string, string>;
  files: ReadonlySet<string>;
  /** Files without content. */
  empty: ReadonlySet<string>;
}

/** Deeper than any folder of configuration: a loop of symbolic links. */
const DEEPEST = 32;
/** What the loader reads in folders. */
const CONFIG_FILE = /\.(?:ya?ml|json)$/i;

/** Links are followed; hidden files and folders are left out, and in folders all that the loader would not read. */
export async function signatureOf(paths: readonly string[]): Promise<Signature> {
  const found = { parts: [] as string[], folders: new Map<string, string>(), files: new Set<string>(), empty: new Set<string>() };
  const seen = new Set<string>();

  async function visit(path: string, depth: number, named: boolean): Promise<void> {
    try {
      const info = await stat(path);
      if (info.isDirectory()) {
        // A folder that several links lead to is looked at once, as the loader does.
        if (depth > DEEPEST || seen.has(identityOf(info))) return;
        seen.add(identityOf(info));
        found.folders.set(path, identityOf(info));
        for (const name of (await readdir(path)).sort()) if (!name.startsWith('.')) await visit(join(path, name), depth + 1, false);
        return;
      }
      if (!named && !CONFIG_FILE.test(path)) return;
      found.files.add(path);
      if (info.size === 0) found.empty.add(path);
      found.parts.push(`${path} ${identityOf(info)} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`);
    } catch (error) {
      if (named || CONFIG_FILE.test(path)) found.parts.push(`${path} ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  for (const path of paths) await visit(path, 0, true);
  return { text: found.parts.join('\n'), folders: found.folders, files: found.files, empty: found.empty };
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
