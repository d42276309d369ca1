import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../errors.ts';
import { decodeFile, MAX_FILE_BYTES, tooLarge } from '../decode-file.ts';
import type { TextFile } from '../text-file.ts';
import type { ConfigSource } from './config-source.ts';
import { readStream } from './read-stream.ts';

/** How paths are read. */
export interface PathOptions {
  /** Larger files are refused; 64 MiB without it. */
  maxFileBytes?: number | undefined;
  /** What `-` stands for; the process's standard input without it. */
  standardInput?: AsyncIterable<Uint8Array> | undefined;
}

/** Route tests lie beside the configuration that they test. */
const TEST_FILE = /\.mesh-test\.ya?ml$/i;
const CONFIG_FILE = /\.(?:ya?ml|json)$/i;
/** Files that are open at once. */
const PARALLEL = 16;

/**
 * Files, folders (with all below them) and `-`. A file that is named is read whatever it is called; in folders it is `.yaml`, `.yml` and
 * `.json`, in the order of their names, without hidden files and folders and without `*.mesh-test.yaml`. Symbolic links are followed;
 * what two ways lead to is read once.
 */
export function pathSource(paths: readonly string[], options: PathOptions = {}): ConfigSource {
  return {
    name: paths.join(', '),
    async read() {
      const found: Found = { files: [], problems: [], seen: new Set() };
      for (const path of paths) await visit(path, found, true);
      const results = await readAll(found.files, options);
      const isText = (result: TextFile | Problem): result is TextFile => 'text' in result;
      return { files: results.filter(isText), problems: [...found.problems, ...results.filter((r): r is Problem => !isText(r))] };
    },
  };
}

interface Found {
  /** In order. */
  files: string[];
  problems: Problem[];
  /** Real paths, so that circular links end and nothing is read twice. */
  seen: Set<string>;
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
      for (const name of names) if (!name.startsWith('.')) await visit(join(path, name), found, false);
      return;
    }
    if (!named && (!info.isFile() || !CONFIG_FILE.test(path) || TEST_FILE.test(path))) return;
    found.seen.add(real);
    found.files.push(path);
  } catch (error) {
    // A folder's dangling links and files that vanish meanwhile matter only when they would be read.
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (!named && code === 'ENOENT' && (!CONFIG_FILE.test(path) || TEST_FILE.test(path))) return;
    found.problems.push(unreadable(path, code));
  }
}

/** The same everywhere: no locale, no upper case first. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function readAll(paths: readonly string[], options: PathOptions): Promise<(TextFile | Problem)[]> {
  const results = new Array<TextFile | Problem>(paths.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < paths.length) {
      const i = next++;
      results[i] = await readOne(paths[i]!, options);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, paths.length) }, worker));
  return results;
}

async function readOne(path: string, options: PathOptions): Promise<TextFile | Problem> {
  const maxBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
  if (path === '-') return decodeOrRefuse('-', await readStream(options.standardInput ?? process.stdin, maxBytes), maxBytes);
  try {
    const handle = await open(path, 'r');
    try {
      const info = await handle.stat();
      if (!info.isFile()) return decodeOrRefuse(path, await readStream(handle.createReadStream(), maxBytes), maxBytes);
      if (info.size > maxBytes) return tooLarge(path, info.size, maxBytes);
      return decodeFile(path, await handle.readFile(), maxBytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(path, (error as NodeJS.ErrnoException).code ?? 'unknown error');
  }
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
