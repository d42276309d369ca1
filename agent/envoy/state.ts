/** What an agent leaves about each Envoy, so that the next one finds it: a folder a proxy below `envoy/` in the data directory. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnvoyFiles } from './command-line.ts';

/** One process. While a hot restart is under way there are two, which share a base id. */
export interface EnvoyRun {
  pid: number;
  /** As of process-identity.ts. */
  identity: string;
  epoch: number;
  version: string;
  /** Stamp of the binary, and a hash of the bootstrap and of the command line: what a hot restart is due for when it changes. */
  stamp: string;
  plan: string;
}

export interface EnvoyState {
  proxyId: string;
  /** `<name>.<namespace>` */
  name: string;
  adminSocket: string;
  /** Oldest first. */
  runs: EnvoyRun[];
}

const STATE = 'state.json';
export const ENVOY_FOLDER = 'envoy';

/** Names a proxy's files: readable, and free of what a file's name may not hold. */
export function keyOf(proxyId: string, name: string): string {
  const hash = createHash('sha256').update(proxyId).digest('hex').slice(0, 8);
  return `${name.replace(/[^\w.-]/g, '_').slice(0, 80)}-${hash}`;
}

/** Relative to the data directory. */
export const stateFile = (key: string): string => join(ENVOY_FOLDER, key, STATE);

/** What a proxy's Envoy reads and writes. */
export function envoyFiles(dataDirectory: string, key: string): EnvoyFiles {
  const folder = join(dataDirectory, ENVOY_FOLDER, key);
  return { bootstrap: join(folder, 'bootstrap.json'), baseId: join(folder, 'base-id'), log: join(folder, 'envoy.log') };
}

/** Where the shell of one process writes how it ended. */
export const exitFile = (dataDirectory: string, key: string, epoch: number): string =>
  join(dataDirectory, ENVOY_FOLDER, key, `exit-${epoch}`);

/** Every state there is. A file that cannot be read is none: its Envoy, if there is one, cannot be found. */
export function readStates(dataDirectory: string): EnvoyState[] {
  const folder = join(dataDirectory, ENVOY_FOLDER);
  return foldersIn(folder).flatMap((key) => {
    try {
      return [JSON.parse(readFileSync(join(folder, key, STATE), 'utf8')) as EnvoyState];
    } catch {
      return [];
    }
  });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
