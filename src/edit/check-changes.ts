import { analyze } from '../analysis/analyze.ts';
import type { Finding } from '../analysis/finding.ts';
import { loadSource } from '../config/load.ts';
import type { ParseMemo, ParseOptions } from '../config/parse-config.ts';
import { overlaySource } from '../config/sources/overlay-source.ts';
import { pathSource } from '../config/sources/path-source.ts';
import { FairleadError, type Problem } from '../errors.ts';
import { buildMesh } from '../mesh/mesh.ts';
import type { FileChange } from './draft.ts';

/** What is wrong with a configuration as its files say it: by the model, and by analysis. */
interface State {
  problems: readonly Problem[];
  findings: readonly Finding[];
}

async function stateOf(paths: readonly string[], options: ParseOptions, changes: readonly FileChange[], memo: ParseMemo): Promise<State> {
  const loaded = await loadSource(overlaySource(pathSource(paths), changes), options, undefined, memo);
  const { problems } = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
  const { findings } = await analyze(loaded);
  return { problems: [...loaded.problems, ...problems], findings };
}

const identity = ({ rule, message, origin, path }: Problem): string => JSON.stringify([rule, message, origin, path]);

const asProblem = ({ level, code, message, hint, position, origin, path }: Finding): Problem => ({
  severity: level === 'Error' ? 'error' : 'warning',
  rule: code,
  message,
  origin,
  path,
  ...(hint === undefined ? {} : { hint }),
  ...(position === undefined ? {} : { position }),
});

/**
 * Refuses changes after which the configuration has an error that it does not have now, for the model or for analysis. Throws
 * E_CONFIG_REFUSED with the problems; nothing has been written.
 *
 * @returns the warnings that the changes bring
 */
export async function checkChanges(paths: readonly string[], options: ParseOptions, changes: readonly FileChange[]): Promise<Problem[]> {
  const memo: ParseMemo = new Map();
  const before = await stateOf(paths, options, [], memo);
  const known = new Set([...before.problems.map(identity), ...before.findings.map((finding) => finding.fingerprint)]);
  const after = await stateOf(paths, options, changes, memo);
  const problems = after.problems.filter((problem) => !known.has(identity(problem)));
  // What both find is told once, by the model.
  const told = new Set(problems.map(({ position }) => JSON.stringify(position)));
  const findings = after.findings.filter((f) => f.level !== 'Info' && !known.has(f.fingerprint) && !told.has(JSON.stringify(f.position)));
  const found = [...problems, ...findings.map(asProblem)];
  if (!found.some(({ severity }) => severity === 'error')) return found;
  throw new FairleadError('E_CONFIG_REFUSED', 'the configuration would not be right after this change', {
    problems: found,
    next: 'Nothing was written. Positions are those after the change; --dry-run shows it.',
  });
}
