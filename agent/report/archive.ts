/** A tar.gz that is written beside its place, never grows beyond its limit, and is there whole or not at all. */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { FairleadError } from '../../src/errors.ts';
import { syncFolder } from '../replace-file.ts';

export interface Archive {
  readonly path: string;
  /** Bytes so far. */
  size(): number;
  /** Adds a file; false: there is no room for it. Throws E_FILE_UNWRITABLE. */
  add(name: string, content: string): Promise<boolean>;
  /** Adds the last file, for which room is kept, and puts the archive into its place. Throws E_FILE_UNWRITABLE. */
  finish(name: string, content: string): Promise<void>;
  /** Takes away what was written. Idempotent; nothing after `finish`. */
  discard(): void;
}

export interface ArchiveOptions {
  /** Must not be there yet. */
  readonly path: string;
  /** Bytes that the archive may have. */
  readonly maxSize: number;
  /** The folder that everything is in. */
  readonly folder: string;
  readonly mtime: Date;
}

/** For the manifest, which comes last. */
const RESERVED = 256 * 1024;
const BLOCK = 512;

/** Begins an archive, mode 0600. Throws E_FILE_UNWRITABLE when it cannot be written there, before anything is collected. */
export function createArchive({ path: named, maxSize, folder, mtime }: ArchiveOptions): Archive {
  const path = resolve(named);
  const temporary = `${path}.${process.pid}.tmp`;
  if (existsSync(path)) throw unwritable(path, 'it is there already', 'Give another name with --output FILE, or move that one away.');
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      discard();
      throw failure(path, error as NodeJS.ErrnoException);
    }
  };
  let fd: number | undefined;
  let size = 0;
  const discard = (): void => {
    if (fd === undefined) return;
    closeSync(fd);
    fd = undefined;
    rmSync(temporary, { force: true });
  };
  fd = attempt(() => openSync(temporary, 'wx', 0o600));
  const write = (bytes: Buffer): void =>
    attempt(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd as number, bytes, at);
      size += bytes.length;
    });
  // Each file is a gzip member of its own, so that its size is known before it is written: RFC 1952 2.2.
  const member = async (name: string, content: string): Promise<Buffer> => gzipSync(await entryOf(`${folder}/${name}`, content, mtime));
  return {
    path,
    size: () => size,
    async add(name, content) {
      const bytes = await member(name, content);
      if (size + bytes.length > maxSize - RESERVED) return false;
      write(bytes);
      return true;
    },
    async finish(name, content) {
      write(await member(name, content));
      write(gzipSync(Buffer.alloc(2 * BLOCK)));
      attempt(() => {
        fsyncSync(fd as number);
        // Unlike a rename, a link replaces nothing.
        linkSync(temporary, path);
      });
      discard();
      syncFolder(dirname(path));
    },
    discard,
  };
}

/** One file as tar has it, without the end of the archive. */
async function entryOf(name: string, content: string, mtime: Date): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name, mode: 0o600, mtime }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return whole.subarray(0, whole.length - 2 * BLOCK);
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the file system',
  EDQUOT: 'the quota of the file system is used up',
  EFBIG: 'a file may not become that large',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'the folder is not there',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is there already',
  ENAMETOOLONG: 'the name is too long',
};

function failure(path: string, error: NodeJS.ErrnoException): FairleadError {
  return unwritable(path, WHY[error.code ?? ''] ?? error.message, 'Give another place with --output FILE.', error);
}

function unwritable(path: string, why: string, next: string, cause?: Error): FairleadError {
  return new FairleadError('E_FILE_UNWRITABLE', `the report cannot be written to ${path}: ${why}`, { next, cause });
}
