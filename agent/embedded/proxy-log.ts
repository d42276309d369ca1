/** The file that the embedded proxy's process writes to. */
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { FairleadError } from '../../src/errors.ts';

/** A log that is longer is put aside when the next process starts, as `<name>.1`. Bytes. */
const LONGEST = 16 * 1024 * 1024;
const TAIL_BYTES = 2000;

export interface ProxyLog {
  readonly fd: number;
  close(): void;
  /** The last of what was written since it was opened, for telling why a process did not start. */
  tail(): string;
}

/** Opens it for appending. Throws E_DATA_DIRECTORY. */
export function openProxyLog(file: string): ProxyLog {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LONGEST) renameSync(file, `${file}.1`);
    const fd = openSync(file, 'a', 0o600);
    const from = fstatSync(fd).size;
    return { fd, close: () => closeSync(fd), tail: () => readTail(file, from) };
  } catch (error) {
    throw new FairleadError('E_DATA_DIRECTORY', `the proxy's log cannot be written: ${(error as Error).message}`, {
      next: 'Free space, or give another directory with --data DIR.',
      cause: error,
    });
  }
}

function readTail(file: string, from: number): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const start = Math.max(from, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - start));
      readSync(fd, bytes, 0, bytes.length, start);
      return bytes.toString('utf8').trim();
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
