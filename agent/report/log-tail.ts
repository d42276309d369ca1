import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Collected } from './types.ts';

/** The end of a file, from the beginning of a line on. Throws the file system's own error. */
export function logTail(path: string, maxBytes: number): Collected {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, maxBytes);
    const bytes = Buffer.alloc(length);
    const read = readSync(fd, bytes, 0, length, size - length);
    return tailOf(bytes.subarray(0, read).toString('utf8'), size > maxBytes, maxBytes);
  } finally {
    closeSync(fd);
  }
}

/** What was cut begins with a whole line, and says that it was cut. */
export function tailOf(text: string, cut: boolean, maxBytes: number): Collected {
  if (!cut) return { content: text };
  const line = text.indexOf('\n');
  return { content: line === -1 ? text : text.slice(line + 1), note: `the last ${Math.round(maxBytes / 1024)} KiB of more` };
}
