import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeFile, MAX_FILE_BYTES } from '../config/decode-file.ts';
import { FairleadError } from '../errors.ts';
import type { FileChange } from './draft.ts';

/**
 * Writes changes, all or none as far as a file system allows: new contents are written and synced beside their files first, then every
 * file is looked at again, and only then the new ones take their places. A file that changed since it was read is left alone; symbolic
 * links stay, what they lead to changes. Throws E_FILE_CHANGED, E_FILE_UNWRITABLE; nothing has changed then, unless a rename itself failed, which
 * the message says.
 */
export async function writeChanges(changes: readonly FileChange[]): Promise<void> {
  const staged: Staged[] = [];
  try {
    for (const change of changes) staged.push(await stage(change));
    for (const { change, target } of staged) await checkUnchanged(change, target);
  } catch (error) {
    await Promise.all(staged.map(({ temporary }) => temporary && rm(temporary, { force: true })));
    throw error;
  }
  const done: string[] = [];
  for (const { change, target, temporary } of staged) {
    try {
      if (temporary) await rename(temporary, target);
      else await rm(target);
      done.push(change.file);
    } catch (error) {
      await Promise.all(staged.map((s) => s.temporary && rm(s.temporary, { force: true })));
      throw unwritable(change.file, error, done.length > 0 ? `These were written before: ${done.join(', ')}.` : 'Nothing was changed.');
    }
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

interface Staged {
  change: FileChange;
  /** What a symbolic link leads to. */
  target: string;
  /** undefined: the file goes. */
  temporary: string | undefined;
}

async function stage(change: FileChange): Promise<Staged> {
  const target = change.before === undefined ? change.file : await realpath(change.file).catch(() => change.file);
  if (change.after === undefined) return { change, target, temporary: undefined };
  const temporary = join(dirname(target), `.${randomBytes(6).toString('hex')}.fairlead-tmp`);
  try {
    // A byte order mark is no part of the text, and stays.
    const mark = change.before !== undefined && (await readFile(target)).subarray(0, 3).equals(BYTE_ORDER_MARK) ? '\ufeff' : '';
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(mark + change.after);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (change.before !== undefined) await chmod(temporary, (await stat(target)).mode & 0o7777);
    return { change, target, temporary };
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(change.file, error, 'Nothing was changed.');
  }
}

async function checkUnchanged({ file, before }: FileChange, target: string): Promise<void> {
  const now = await readFile(target).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
  const decoded = now === undefined ? undefined : decodeFile(file, now, MAX_FILE_BYTES);
  const text = decoded !== undefined && 'text' in decoded ? decoded.text : undefined;
  if (now === undefined ? before === undefined : text === before) return;
  throw new FairleadError('E_FILE_CHANGED', `${file} was changed by somebody else in the meantime`, {
    next: 'Nothing was written. Look at the change, and try again.',
  });
}

function unwritable(file: string, error: unknown, next: string): FairleadError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new FairleadError('E_FILE_UNWRITABLE', `${file} cannot be written: ${code ?? message}`, { next, cause: error });
}
