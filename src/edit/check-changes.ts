import { analyze } from '../analysis/analyze.ts';
import type { Finding } from '../analysis/finding.ts';
import { loadSource } from '../config/load.ts';
import type { ParseMemo, ParseOptions } from '../config/parse-config.ts';
import type { Position } from '../config/resource.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
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

async function stateOf(source: ConfigSource, options: ParseOptions, memo: ParseMemo): Promise<State> {
  const loaded = await loadSource(source, options, undefined, memo);
  const { problems } = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
  const { findings } = await analyze(loaded);
  return { problems: [...loaded.problems, ...problems], findings };
}

const identity = ({ rule, message, origin, path }: Problem): string => JSON.stringify([rule, message, origin, path]);

const asProblem = ({ level, code, message, hint, position, origin, path }: Finding, whole: boolean): Problem => ({
  severity: level === 'Error' && whole ? 'error' : 'warning',
  rule: code,
  message,
  origin,
  path,
  ...(hint === undefined ? {} : { hint }),
  ...(position === undefined ? {} : { position }),
});

/** A configuration as it is, and as it is to be. */
export interface Sides {
  before: ConfigSource;
  after: ConfigSource;
  /** Only a part could be read: what analysis misses may be in the rest, and is a warning. */
  partial?: boolean;
}

/** The sides of changes of files. */
export function sidesOfFiles(paths: readonly string[], changes: readonly FileChange[]): Sides {
  const before = pathSource(paths);
  return { before, after: overlaySource(before, changes) };
}

/**
 * Refuses changes after which the configuration has an error that it does not have now, for the model or for analysis. Throws
 * E_CONFIG_REFUSED with the problems; nothing has been written.
 *
 * @returns the warnings that the changes bring
 */
export async function checkChanges({ before, after, partial = false }: Sides, options: ParseOptions): Promise<Problem[]> {
  const memo: ParseMemo = new Map();
  const was = await stateOf(before, options, memo);
  const known = new Set([...was.problems.map(identity), ...was.findings.map((finding) => finding.fingerprint)]);
  const is = await stateOf(after, options, memo);
  const problems = is.problems.filter((problem) => !known.has(identity(problem)));
  // What both find is told once, by the model.
  const told = new Set(problems.map(whereOf));
  const findings = is.findings.filter((f) => f.level !== 'Info' && !known.has(f.fingerprint) && !told.has(whereOf(f)));
  const found = [...problems, ...findings.map((finding) => asProblem(finding, !partial))];
  if (!found.some(({ severity }) => severity === 'error')) return found;
  throw new FairleadError('E_CONFIG_REFUSED', 'the configuration would not be right after this change', {
    problems: found,
    next: 'Nothing was written. Positions are those after the change; --dry-run shows it.',
  });
}

/** In a cluster there are no lines: its objects are told apart by their fields. */
const whereOf = ({ position, path }: { position?: Position | undefined; path?: string | undefined }): string =>
  JSON.stringify(position?.line === 0 ? [position, path] : position);
