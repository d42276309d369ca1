import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces a file (its content whole, or in pieces), mode 0600: temporary file beside it, sync, rename, sync of the folder. Throws the file system's own error; the old content is there then. */
export function replaceFile(to: string, content: string | Iterable<string>): void {
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    const fd = openSync(temporary, 'w', 0o600);
    try {
      for (const piece of typeof content === 'string' ? [content] : content) writeFileSync(fd, piece);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, to);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(to));
}

/** A rename is on the disk when its folder is. Some file systems cannot sync folders. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {}
}
