/** Which Envoy is taken: ENVOY_PATH, then an `envoy` in the path, then the newest that was installed by us. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { installedEnvoys, installFolder } from './installed.ts';
import { readEnvoyVersion } from './version.ts';

export interface EnvoyCandidate {
  path: string;
  /** Who named it. */
  from: 'ENVOY_PATH' | 'PATH' | 'installed';
  /** Why this one wins, in a few words. */
  why: string;
}

export interface EnvoyBinary extends EnvoyCandidate {
  version: string;
  /** Changes when the file is replaced. */
  stamp: string;
}

/** All that could be taken, the one that is first. */
export function envoyCandidates(env: NodeJS.ProcessEnv = process.env): EnvoyCandidate[] {
  const named = env['ENVOY_PATH'];
  const found: EnvoyCandidate[] = [];
  if (named) found.push({ path: resolve(named), from: 'ENVOY_PATH', why: 'ENVOY_PATH names it' });
  const inPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(resolve(folder), 'envoy'))
    .find(isExecutable);
  if (inPath) found.push({ path: inPath, from: 'PATH', why: 'it is in the path' });
  for (const { path, version } of installedEnvoys(installFolder(env)))
    found.push({ path, from: 'installed', why: `${version} is the newest that \`fairlead envoy install\` has put there` });
  return found;
}

/**
 * The Envoy to run; undefined when there is none. Throws E_ENVOY_UNUSABLE when the one that wins cannot be run or is too old: another
 * one in its place would be a surprise.
 */
export async function findEnvoy(env: NodeJS.ProcessEnv = process.env): Promise<EnvoyBinary | undefined> {
  const [candidate] = envoyCandidates(env);
  return candidate && examine(candidate);
}

/** As `findEnvoy`, but throws E_ENVOY_NOT_FOUND when there is none. */
export async function requireEnvoy(env: NodeJS.ProcessEnv = process.env): Promise<EnvoyBinary> {
  const found = await findEnvoy(env);
  if (found) return found;
  throw new FairleadError(
    'E_ENVOY_NOT_FOUND',
    'there is no Envoy: ENVOY_PATH is not set, no `envoy` is in the path, and none is installed',
    {
      next: 'Get one with `fairlead envoy install`, or run the embedded proxy with --engine embedded.',
    },
  );
}

/** As `before` while the same file wins and is as it was, so that asking again costs nothing. Throws as `requireEnvoy`. */
export async function findEnvoyAgain(before: EnvoyBinary, env: NodeJS.ProcessEnv = process.env): Promise<EnvoyBinary> {
  const [candidate] = envoyCandidates(env);
  if (candidate?.path === before.path && stampOf(candidate.path) === before.stamp) return before;
  return requireEnvoy(env);
}

async function examine(candidate: EnvoyCandidate): Promise<EnvoyBinary> {
  const stamp = stampOf(candidate.path) ?? '';
  return { ...candidate, version: await readEnvoyVersion(candidate.path), stamp };
}

function stampOf(path: string): string | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info && `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
