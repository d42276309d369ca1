/** Where the Unix sockets of a data directory are. */
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from './make-folder.ts';

/** sun_path ends at 107 bytes on Linux and at 103 on macOS. */
const LONGEST_BYTES = 100;

export interface SocketPaths {
  agent: string;
  proxy: string;
  /** Where the agent serves the real Envoys their configuration. */
  xds: string;
}

/** The sockets lie in the directory itself; a long directory gets short names in a folder of the user's own below the temporary one. */
export function socketsOf(directory: string): SocketPaths {
  return { agent: socketPath(directory, 'agent'), proxy: socketPath(directory, 'proxy'), xds: socketPath(directory, 'xds') };
}

/** Makes the folder of short names where it is needed. Throws when somebody else could have put it there. */
export function prepareSocketFolder({ agent }: SocketPaths, directory: string): void {
  const folder = dirname(agent);
  if (folder === resolve(directory)) return;
  makeFolder(folder);
  const info = lstatSync(folder);
  const mine = process.getuid === undefined || info.uid === process.getuid();
  if (!info.isDirectory() || !mine || (process.getuid !== undefined && (info.mode & 0o077) !== 0))
    throw new Error(`${folder} must be a folder that only this user can open`);
}

/** Where a socket of that name lies: in the directory, or in the folder of short names. */
export function socketPath(directory: string, name: string): string {
  const plain = join(resolve(directory), `${name}.sock`);
  if (Buffer.byteLength(plain) <= LONGEST_BYTES) return plain;
  const short = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 16);
  return join(tmpdir(), `fairlead-${process.getuid?.() ?? 'user'}`, `${short}-${name}.sock`);
}
