/** Settings from files and `--set`, each held against the schema where it was written. */
import { documentSource, type TextSource } from '../../config/document-source.ts';
import type { Position } from '../../config/resource.ts';
import { checkMeshConfig } from '../../config/semantics/mesh-config.ts';
import type { TextFile } from '../../config/text-file.ts';
import { checkValue } from '../../config/validation/check-value.ts';
import { describeValue } from '../../config/validation/describe-value.ts';
import { createReport } from '../../config/validation/report.ts';
import { schemaNode } from '../../config/validation/schema-node.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import { splitDocuments } from '../../config/yaml/split-documents.ts';
import { syntaxProblems } from '../../config/yaml/syntax-problems.ts';
import { FairleadError, type Problem } from '../../errors.ts';
import { trustDomainProblem } from '../../pki/spiffe-id.ts';
import { mergeSettings, withoutNulls } from './merge.ts';
import { resolveSettings, type Settings, settingsProblems } from './resolve.ts';
import { type SettingsFile, settingsSchema } from './schema.ts';
import { settingOf } from './set-flag.ts';

/** Where settings come from; later ones win, `sets` over all. */
export interface SettingsInput {
  /** What an installation was made with. */
  stored?: SettingsFile | undefined;
  files: readonly TextFile[];
  /** As `--set` takes them. */
  sets: readonly string[];
  revision: string;
  version: string;
  /** Others come before them: what is wrong between settings is not known yet. */
  partial?: boolean | undefined;
}

export interface ReadSettings {
  /** As written: what the next upgrade begins with. */
  file: SettingsFile;
  settings: Settings;
}

/** Throws E_USAGE, and E_CONFIG_INVALID with everything that is wrong. */
export async function readSettings({ stored, files, sets, revision, version, partial }: SettingsInput): Promise<ReadSettings> {
  const problems: Problem[] = [];
  let merged: SettingsFile = stored ?? {};
  for (const file of files) for (const layer of await layersOf(file, problems)) merged = mergeSettings(merged, layer, true);
  for (const typed of sets) {
    const layer = settingOf(typed);
    check(layer, typedSource(`--set ${typed}`), problems);
    merged = mergeSettings(merged, layer, true);
  }
  if (problems.length > 0) throw invalid(problems);
  const settings = resolveSettings(merged, { revision, version });
  const wrong = partial ? [] : [...settingsProblems(settings), ...meshConfigProblems(settings)];
  if (wrong.length > 0) throw invalid(wrong);
  return { file: merged, settings };
}

const invalid = (problems: readonly Problem[]): FairleadError =>
  new FairleadError('E_CONFIG_INVALID', 'the settings are not valid', {
    problems,
    next: '`fairlead schema install` describes them all.',
  });

/** Rules of MeshConfig that compare fields: what they refuse no agent would take. */
function meshConfigProblems({ meshConfig }: Settings): Problem[] {
  const problems: Problem[] = [];
  const report = createReport(problems, typedSource('meshConfig'), () => undefined);
  checkMeshConfig(meshConfig, report);
  const domain = meshConfig.trustDomain ? trustDomainProblem(meshConfig.trustDomain) : undefined;
  if (domain !== undefined) report.error(['trustDomain'], 'install/settings', domain);
  return problems.filter(({ severity }) => severity === 'error');
}

async function layersOf(file: TextFile, problems: Problem[]): Promise<unknown[]> {
  const layers: unknown[] = [];
  for (const [index, range] of splitDocuments(file.text).entries()) {
    const outcome = parseDocument(file.text.slice(range.start, range.end));
    if (!outcome.ok) {
      problems.push(...(await syntaxProblems(file, range, outcome.failure)));
      continue;
    }
    const { value } = outcome;
    if (value === null) continue;
    const source = documentSource(file, range, index);
    const isObject = typeof value === 'object' && !Array.isArray(value);
    if (!isObject || typeof (value as { kind?: unknown }).kind === 'string') {
      const what = isObject ? `an object of the kind ${(value as { kind: string }).kind}` : describeValue(value);
      problems.push({
        severity: 'error',
        rule: 'install/settings',
        message: `a file of settings is a map of settings, not ${what}`,
        position: source.positionOf([]),
      });
      continue;
    }
    check(value, source, problems);
    layers.push(value);
  }
  return layers;
}

function check(value: unknown, source: TextSource, problems: Problem[]): void {
  const report = createReport(problems, source, () => undefined);
  checkValue(schemaNode(settingsSchema), structuredClone(withoutNulls(value)), { report, path: [], chain: [] });
}

/** What was typed on the command line has no lines. */
function typedSource(typed: string): TextSource {
  const position: Position = { file: typed, line: 0, column: 0 };
  const source: TextSource = {
    file: typed,
    document: 0,
    positionOf: () => position,
    keyPositionOf: () => position,
    writtenAt: () => undefined,
    at: () => position,
    embedded: () => source,
    within: () => source,
  };
  return source;
}
