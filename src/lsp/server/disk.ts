import { relative } from 'node:path';
import { MAX_FILE_BYTES } from '../../config/decode-file.ts';
import { isConfigFile } from '../../config/sources/config-file.ts';
import type { ConfigSource, SourceTexts } from '../../config/sources/config-source.ts';
import { pathSource } from '../../config/sources/path-source.ts';
import type { TextFile } from '../../config/text-file.ts';
import type { Problem } from '../../errors.ts';
import { fileSort } from '../mesh-file.ts';

/** The files of a configuration as they are on disk; read again only when told to. */
export interface Disk extends ConfigSource {
  /** Reads everything again: files that did not change cost a look at their date. */
  rescan(): Promise<void>;
  /** Reads some files again that were changed, added or removed. */
  reread(files: readonly string[]): Promise<void>;
}

/** Folders that hold other people's files. */
const SKIP: ReadonlySet<string> = new Set(['node_modules', 'vendor', '__pycache__']);

/** The files below `paths`; of those that have nothing to do with a mesh only the name is kept. */
export function createDisk(paths: readonly string[]): Disk {
  const whole = pathSource(paths, { skip: SKIP, maxFileBytes: MAX_FILE_BYTES });
  const files = new Map<string, TextFile>();
  const keep = ({ files: read }: SourceTexts): void => {
    for (const file of read) if (fileSort(file) !== 'other') files.set(file.name, file);
  };
  return {
    name: whole.name,
    async rescan() {
      const read = await whole.read();
      files.clear();
      keep(read);
    },
    async reread(changed) {
      const own = changed.filter((file) => isBelow(file, paths) && isConfigFile(file) && !isSkipped(file, paths));
      if (own.length === 0) return;
      for (const file of own) files.delete(file);
      keep(await pathSource(own).read());
    },
    async read() {
      const ordered = [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      // What cannot be read cannot be told from what is none of a mesh's files: editors show such files' own errors.
      return { files: ordered, problems: [] as Problem[] };
    },
  };
}

/** Whether a file is one of `paths`, or below one. */
export function isBelow(file: string, paths: readonly string[]): boolean {
  return paths.some((path) => file === path || !/^\.\.(?:[\\/]|$)|^[A-Za-z]:|^[\\/]/.test(relative(path, file)));
}

/** Whether a file that is below one of `paths` is in a folder that is not looked into. */
function isSkipped(file: string, paths: readonly string[]): boolean {
  const path = paths.find((root) => isBelow(file, [root])) as string;
  return relative(path, file)
    .split(/[\\/]/)
    .some((part) => (part.startsWith('.') && part !== '..') || SKIP.has(part));
}
