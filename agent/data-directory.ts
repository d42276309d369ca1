/** Where an agent keeps what must survive it. One agent at a time; everything 0600; writes are whole or not at all. */
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { FairleadError } from '../src/errors.ts';
import { takeDirectoryLock } from './directory-lock.ts';
import { makeFolder } from './make-folder.ts';
import { replaceFile } from './replace-file.ts';
import { prepareSocketFolder, socketsOf } from './socket-paths.ts';

export interface DataDirectory {
  readonly path: string;
  readonly agentSocket: string;
  readonly proxySocket: string;
  readonly xdsSocket: string;
  readonly proxyLog: string;
  /** Replaces a file: temporary file, sync, rename. Throws E_DATA_DIRECTORY; the old content is there then. */
  write(name: string, content: string | Iterable<string>): void;
  /**
   * As `write`, piece by piece, without holding up the process. Nothing is replaced when `still` says no at the end. Rejects with
   * E_DATA_DIRECTORY. One at a time.
   */
  writePieces(name: string, pieces: Iterable<string>, still: () => boolean): Promise<void>;
  /** undefined when it is not there. Throws E_DATA_DIRECTORY. */
  read(name: string): string | undefined;
  remove(name: string): void;
  /** Another agent may take it from here on. Idempotent. */
  release(): void;
}

/** `FAIRLEAD_DATA`, else /var/lib/fairlead for root, else the user's state directory. */
export function defaultDataDirectory(): string {
  const named = process.env['FAIRLEAD_DATA'];
  if (named) return resolve(named);
  if (process.getuid?.() === 0) return '/var/lib/fairlead';
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'fairlead');
}

/** Opens it, creating it when needed. Throws E_AGENT_RUNNING while another agent holds it, E_DATA_DIRECTORY when it cannot be used. */
export function openDataDirectory(directory: string): DataDirectory {
  const path = resolve(directory);
  const sockets = socketsOf(path);
  const usable = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw error instanceof FairleadError ? error : unusable(path, error);
    }
  };
  const unlock = usable(() => {
    makeFolder(path);
    prepareSocketFolder(sockets, path);
    return takeDirectoryLock(join(path, 'agent.pid'), path);
  });
  removeLeftovers(path);
  return {
    path,
    agentSocket: sockets.agent,
    proxySocket: sockets.proxy,
    xdsSocket: sockets.xds,
    proxyLog: join(path, 'proxy.log'),
    write: (name, content) => usable(() => replaceFile(join(path, name), content)),
    writePieces: (name, pieces, still) =>
      replaceInPieces(join(path, name), pieces, still).catch((error: unknown) => {
        throw unusable(path, error);
      }),
    read: (name) => usable(() => readIfThere(join(path, name))),
    remove: (name) => usable(() => rmSync(join(path, name), { force: true })),
    release() {
      try {
        unlock();
      } catch {
        // The directory is gone or unreadable: a lock that names a dead process holds nobody up.
      }
    },
  };
}

async function replaceInPieces(to: string, pieces: Iterable<string>, still: () => boolean): Promise<void> {
  const temporary = `${to}.${process.pid}.pieces.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      for (const piece of pieces) await handle.write(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (still()) renameSync(temporary, to);
    else rmSync(temporary, { force: true });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Half-written files of agents that were killed. Nobody else writes here: the lock is held. */
function removeLeftovers(path: string): void {
  try {
    for (const name of readdirSync(path))
      if (name.endsWith('.tmp') && !name.startsWith('agent.pid')) rmSync(join(path, name), { force: true });
  } catch {
    // They only take space.
  }
}

const WHY: Record<string, string | undefined> = {
  ENOSPC: 'there is no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
};

const NEXT: Record<string, string | undefined> = {
  ENOSPC: 'Free space, or give another directory with --data DIR.',
  EDQUOT: 'Free space, or give another directory with --data DIR.',
};

function unusable(path: string, error: unknown): FairleadError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new FairleadError('E_DATA_DIRECTORY', `the data directory ${path} cannot be used: ${WHY[code] ?? message}`, {
    next: NEXT[code] ?? 'Give another directory with --data DIR, or set FAIRLEAD_DATA.',
    cause: error,
  });
}
