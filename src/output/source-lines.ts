/** The lines that positions point to, for showing them. */
import { readFile, stat } from 'node:fs/promises';
import type { Position } from '../config/resource.ts';
import { textFile } from '../config/text-file.ts';

/** Larger files are not read again to show a line. Bytes. */
const MAX_SOURCE = 64 * 1024 * 1024;

/** The line of a position; undefined where there is none, or it cannot be read. */
export type LineReader = (position: Position) => Promise<string | undefined>;

/**
 * A reader that opens each file once.
 *
 * @param sources texts by the names that positions use, as for `-` and editors; what is not there is read from disk
 */
export function sourceLines(sources: ReadonlyMap<string, string> | undefined): LineReader {
  const files = new Map<string, ReturnType<typeof textFile> | undefined>();
  return async ({ file, line }) => {
    if (line === 0) return undefined;
    if (!files.has(file)) {
      const text = sources?.get(file) ?? (await readText(file));
      files.set(file, text === undefined ? undefined : textFile(file, text.startsWith('\uFEFF') ? text.slice(1) : text));
    }
    return files.get(file)?.line(line);
  };
}

async function readText(file: string): Promise<string | undefined> {
  if (file === '-') return undefined;
  try {
    // Devices have no end, and a pipe's text is gone.
    const info = await stat(file);
    if (!info.isFile() || info.size > MAX_SOURCE) return undefined;
    const bytes = await readFile(file);
    return bytes.includes(0) ? undefined : bytes.toString('utf8');
  } catch {
    return undefined;
  }
}
