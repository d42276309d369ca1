import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { MAX_FILE_BYTES } from '../../config/decode-file.ts';
import { isConfigFile } from '../../config/sources/config-file.ts';
import type { ConfigSource, SourceTexts } from '../../config/sources/config-source.ts';
import { pathSource } from '../../config/sources/path-source.ts';
import { type TextFile, textFile } from '../../config/text-file.ts';
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

/** The files below `paths`; of those that have nothing to do with a mesh nothing is kept. */
export function createDisk(paths: readonly string[]): Disk {
  const whole = pathSource(paths, { skip: SKIP, maxFileBytes: MAX_FILE_BYTES });
  const files = new Map<string, TextFile>();
  /** Of files that are no UTF-8, but a mesh's as far as can be told. */
  const problems = new Map<string, Problem>();
  let queue: Promise<void> = Promise.resolve();
  /** One after the other, so that what was read later is what stays. */
  const serially = (work: () => Promise<void>): Promise<void> => {
    queue = queue.then(work, work);
    return queue;
  };
  const keep = async (read: SourceTexts, replaced: Iterable<string>): Promise<void> => {
    const bad: [string, Problem][] = [];
    for (const problem of read.problems) {
      const file = problem.position?.file;
      if (file !== undefined && problem.rule === 'file/encoding' && (await isMeshFile(file))) bad.push([file, problem]);
    }
    // At once: whoever reads meanwhile sees all of it or nothing.
    for (const file of replaced) {
      files.delete(file);
      problems.delete(file);
    }
    for (const file of read.files) if (fileSort(file) !== 'other') files.set(file.name, file);
    for (const [file, problem] of bad) problems.set(file, problem);
  };
  return {
    name: whole.name,
    rescan: () => serially(async () => keep(await whole.read(), [...files.keys(), ...problems.keys()])),
    reread: (changed) =>
      serially(async () => {
        const own = changed.filter((file) => isBelow(file, paths) && isConfigFile(file) && !isSkipped(file, paths));
        if (own.length > 0) await keep(await pathSource(own).read(), own);
      }),
    async read() {
      const ordered = [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return { files: ordered, problems: [...problems.values()] };
    },
  };
}

/** Whether a file that is no UTF-8 would be a mesh's, were its other letters right. */
async function isMeshFile(file: string): Promise<boolean> {
  const text = await readFile(file, 'latin1').catch(() => '');
  return fileSort(textFile(file, text)) !== 'other';
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
