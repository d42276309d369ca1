/** The lines that positions point to, for showing them. */
import { readFile, stat } from 'node:fs/promises';
import type { Position } from '../config/resource.ts';
import { textFile } from '../config/text-file.ts';

/** Larger files are not read again to show a line. Bytes. */
const MAX_SOURCE = 64 * 1024 * 1024;

/** The line of a position; undefined where there is none, it cannot be read, or it is broken and of a Secret. */
export type LineReader = (position: Position, rule?: string) => Promise<string | undefined>;

/**
 * A reader that opens each file once.
 *
 * @param sources texts by the names that positions use, as for `-` and editors; what is not there is read from disk
 */
export function sourceLines(sources: ReadonlyMap<string, string> | undefined): LineReader {
  const files = new Map<string, ReturnType<typeof textFile> | undefined>();
  return async ({ file, line }, rule = '') => {
    if (line === 0) return undefined;
    if (!files.has(file)) {
      const text = sources?.get(file) ?? (await readText(file));
      files.set(file, text === undefined ? undefined : textFile(file, text.startsWith('\uFEFF') ? text.slice(1) : text));
    }
    const text = files.get(file);
    return text === undefined || (UNREADABLE.test(rule) && isInSecret(text, line)) ? undefined : text.line(line);
  };
}

/** What is told of texts that are no documents yet: nobody knows whose field it is. */
const UNREADABLE = /^(?:yaml|json)\/|^FL0001$|syntax/i;
const SECRET = /^[\s{,-]*(?:["']?kind["']?\s*:\s*["']?Secret\b)|["']kind["']\s*:\s*["']Secret["']/m;

/** Whether the document around a line says that it is a Secret. */
function isInSecret(text: ReturnType<typeof textFile>, line: number): boolean {
  const isEdge = (at: number): boolean => /^(?:---|\.\.\.)(?:\s|$)/.test(text.line(at) ?? '---');
  let [first, last] = [line, line];
  while (first > 1 && !isEdge(first - 1)) first--;
  while (!isEdge(last + 1)) last++;
  for (let at = first; at <= last; at++) if (SECRET.test(text.line(at) ?? '')) return true;
  return false;
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
