import { loadSource } from '../config/load.ts';
import type { ParseOptions } from '../config/parse-config.ts';
import { overlaySource } from '../config/sources/overlay-source.ts';
import { pathSource } from '../config/sources/path-source.ts';
import { FairleadError, type Problem } from '../errors.ts';
import { buildMesh } from '../mesh/mesh.ts';
import type { FileChange } from './draft.ts';

/** Errors of a configuration as files say it, the model's included. */
async function errorsOf(paths: readonly string[], options: ParseOptions, changes: readonly FileChange[]): Promise<Problem[]> {
  const loaded = await loadSource(overlaySource(pathSource(paths), changes), options);
  const mesh = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
  return [...loaded.problems, ...mesh.problems];
}

const identity = ({ rule, message, origin, path }: Problem): string => JSON.stringify([rule, message, origin, path]);

/**
 * Refuses changes after which the configuration has a problem that it does not have now. Throws E_CONFIG_REFUSED with the problems;
 * nothing has been written.
 */
export async function checkChanges(paths: readonly string[], options: ParseOptions, changes: readonly FileChange[]): Promise<void> {
  const before = new Set((await errorsOf(paths, options, [])).map(identity));
  const found = (await errorsOf(paths, options, changes)).filter((problem) => !before.has(identity(problem)));
  if (found.length === 0) return;
  throw new FairleadError('E_CONFIG_REFUSED', 'the configuration would not be right after this change', {
    problems: found,
    next: 'Nothing was written. Positions are those after the change; --dry-run shows it.',
  });
}
