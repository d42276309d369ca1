import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../errors.ts';
import { decodeFile, MAX_FILE_BYTES, tooLarge } from '../decode-file.ts';
import type { TextFile } from '../text-file.ts';
import { isConfigFile, isTestFile } from './config-file.ts';
import type { ConfigSource } from './config-source.ts';
import { readStream } from './read-stream.ts';

/** How paths are read. */
export interface PathOptions {
  /** Larger files are refused; 64 MiB without it. */
  maxFileBytes?: number | undefined;
  /** What `-` stands for; the process's standard input without it. */
  standardInput?: AsyncIterable<Uint8Array> | undefined;
  /** Names of files and folders that are left out wherever they are found in a folder, besides hidden ones. */
  skip?: ReadonlySet<string> | undefined;
  /** What is read of folders: configuration unless it says tests. */
  wanted?: 'configuration' | 'tests' | undefined;
}

/** Files that are open at once. */
const PARALLEL = 16;

/**
 * Files, folders (with all below them) and `-`. A file that is named is read whatever it is called; in folders it is `.yaml`, `.yml` and
 * `.json`, in the order of their names, without hidden files and folders and without `*.mesh-test.yaml`. Symbolic links are followed;
 * what two ways lead to is read once.
 */
export function pathSource(paths: readonly string[], options: PathOptions = {}): ConfigSource {
  let known: KnownFiles = new Map();
  return {
    name: paths.join(', '),
    async read() {
      const isWanted = options.wanted === 'tests' ? isTestFile : isConfigFile;
      const found: Found = { files: [], problems: [], seen: new Set(), isWanted, skip: options.skip };
      for (const path of paths) await visit(path, found, true);
      const read: KnownFiles = new Map();
      const results = await readAll(found.files, { options, known, read });
      known = read;
      const isText = (result: TextFile | Problem): result is TextFile => 'text' in result;
      return { files: results.filter(isText), problems: [...found.problems, ...results.filter((r): r is Problem => !isText(r))] };
    },
  };
}

/** A file as it was read. */
interface KnownFile {
  /** What tells it from what it was or will be. */
  signature: string;
  /** Whether a change of the file would change its signature: it was old when it was read. */
  settled: boolean;
  result: TextFile | Problem;
}

type KnownFiles = Map<string, KnownFile>;

/** File systems tell times apart by some milliseconds only, some by 2 s: what is younger when it is read may change unseen. */
const SETTLED_MS = 3000;

interface Found {
  /** In order. */
  files: string[];
  problems: Problem[];
  /** Real paths, so that circular links end and nothing is read twice. */
  seen: Set<string>;
  /** Whether a file of a folder is read, by its name. */
  isWanted(path: string): boolean;
  skip: ReadonlySet<string> | undefined;
}

async function visit(path: string, found: Found, named: boolean): Promise<void> {
  if (path === '-') {
    if (!found.files.includes('-')) found.files.push('-');
    return;
  }
  try {
    const info = await stat(path);
    if (named && !info.isFile() && !info.isDirectory()) {
      // A pipe, as of a shell's `<(…)`: it has no real path.
      found.files.push(path);
      return;
    }
    const real = await realpath(path);
    if (found.seen.has(real)) return;
    if (info.isDirectory()) {
      found.seen.add(real);
      const names = (await readdir(path)).sort(byCodeUnit);
      for (const name of names) if (!name.startsWith('.') && !found.skip?.has(name)) await visit(join(path, name), found, false);
      return;
    }
    if (!named && (!info.isFile() || !found.isWanted(path))) return;
    found.seen.add(real);
    found.files.push(path);
  } catch (error) {
    // A folder's dangling links and files that vanish meanwhile matter only when they would be read.
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (!named && code === 'ENOENT' && !found.isWanted(path)) return;
    found.problems.push(unreadable(path, code));
  }
}

/** The same everywhere: no locale, no upper case first. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Reading {
  options: PathOptions;
  known: ReadonlyMap<string, KnownFile>;
  /** Grows. */
  read: KnownFiles;
}

async function readAll(paths: readonly string[], reading: Reading): Promise<(TextFile | Problem)[]> {
  const results = new Array<TextFile | Problem>(paths.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < paths.length) {
      const i = next++;
      results[i] = await readOne(paths[i]!, reading);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, paths.length) }, worker));
  return results;
}

async function readOne(path: string, reading: Reading): Promise<TextFile | Problem> {
  const { options } = reading;
  const maxBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
  if (path === '-') return decodeOrRefuse('-', await readStream(options.standardInput ?? process.stdin, maxBytes), maxBytes);
  try {
    const handle = await open(path, 'r');
    try {
      const info = await handle.stat({ bigint: true });
      if (!info.isFile()) return decodeOrRefuse(path, await readStream(handle.createReadStream(), maxBytes), maxBytes);
      const { dev, ino, size, mtimeNs, ctimeNs } = info;
      const signature = [dev, ino, size, mtimeNs, ctimeNs].join();
      const before = reading.known.get(path);
      const keep = (result: TextFile | Problem): TextFile | Problem => {
        const settled = Date.now() - Number(ctimeNs / 1_000_000n) > SETTLED_MS;
        reading.read.set(path, { signature, settled, result });
        return result;
      };
      if (before?.settled && before.signature === signature) return keep(before.result);
      if (size > maxBytes) return tooLarge(path, Number(size), maxBytes);
      const result = decodeFile(path, await handle.readFile(), maxBytes);
      return keep(before !== undefined && isSameText(before.result, result) ? before.result : result);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(path, (error as NodeJS.ErrnoException).code ?? 'unknown error');
  }
}

function isSameText(a: TextFile | Problem, b: TextFile | Problem): boolean {
  return 'text' in a && 'text' in b && a.text === b.text;
}

function decodeOrRefuse(name: string, bytes: Buffer | { size: number }, maxBytes: number): TextFile | Problem {
  return Buffer.isBuffer(bytes) ? decodeFile(name, bytes, maxBytes) : tooLarge(name, bytes.size, maxBytes);
}

const REASONS: Record<string, string | undefined> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its symbolic links go round in a circle',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENAMETOOLONG: 'the path is too long',
};

function unreadable(path: string, code: string): Problem {
  const message = `cannot read ${path}: ${REASONS[code] ?? code}`;
  return { severity: 'error', rule: 'file/unreadable', message, position: { file: path, line: 1, column: 1 } };
}
