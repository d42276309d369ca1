/** Which Envoy a binary is: `envoy --version`, read and compared. */
import { execFile } from 'node:child_process';
import { FairleadError } from '../../src/errors.ts';

/** The oldest that takes what we write: the record log's custom tags are formatted values, which 1.36 does not know. */
export const OLDEST_VERSION = '1.37.0';
/** The one that the tests run with, and that `fairlead envoy install` takes when no other is named. */
export const TESTED_VERSION = '1.40.0';

const DEADLINE_MS = 15_000;

/** The version that the binary tells, as `1.40.0`. Throws E_ENVOY_UNUSABLE when it cannot be run, is no Envoy, or is older than OLDEST_VERSION. */
export async function readEnvoyVersion(path: string): Promise<string> {
  const { said, error } = await run(path);
  // `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`
  const version = /version: [^/\s]*\/(\d+\.\d+\.\d+[^/\s]*)\//.exec(said)?.[1];
  if (version === undefined) {
    const why = error
      ? `it cannot be run: ${error}`
      : `\`${path} --version\` says ${JSON.stringify(said.trim().split('\n')[0]?.slice(0, 100))}`;
    throw new FairleadError('E_ENVOY_UNUSABLE', `${path} is not an Envoy that runs here: ${why}`, {
      next: 'Name another one with ENVOY_PATH, or get one with `fairlead envoy install`.',
    });
  }
  if (compareVersions(version, OLDEST_VERSION) < 0)
    throw new FairleadError('E_ENVOY_UNUSABLE', `${path} is Envoy ${version}, older than ${OLDEST_VERSION}`, {
      next: 'Name a newer one with ENVOY_PATH, or get one with `fairlead envoy install` and take the old one out of the path.',
    });
  return version;
}

/** Whether a running Envoy of one hot restart version can hand over to this binary: Envoy refuses when they differ. */
export async function readHotRestartVersion(path: string): Promise<string | undefined> {
  return /^\d+\.\d+\S*$/m.exec((await run(path, '--hot-restart-version')).said)?.[0];
}

/** Negative, zero or positive, as the first is older, the same or newer. Further parts (`1.36.2.post1`) count; what is no number does not. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}

function run(path: string, option = '--version'): Promise<{ said: string; error: string | undefined }> {
  return new Promise((resolve) => {
    execFile(path, [option], { timeout: DEADLINE_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = (error as NodeJS.ErrnoException | null)?.code;
      const why = !error ? undefined : typeof code === 'string' ? reason(code) : stderr.trim().split('\n').at(-1) || error.message;
      resolve({ said: stdout, error: why });
    }).on('error', () => undefined);
  });
}

function reason(code: string): string {
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'it is not an executable file, or this user may not run it';
  if (code === 'ENOEXEC') return 'it is made for another kind of machine';
  return code;
}
