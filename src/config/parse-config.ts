import { setImmediate } from 'node:timers/promises';
import type { Problem } from '../errors.ts';
import { type Collection, collectMeshConfig, collectObjects, createCollection } from './collect-objects.ts';
import { documentSource, type TextSource } from './document-source.ts';
import { kindIndex } from './kind-index.ts';
import type { Kind } from './kinds/kind.ts';
import type { MeshConfig } from './kinds/mesh-config.ts';
import type { Resource } from './resource.ts';
import { type TextFile, textFile } from './text-file.ts';
import { parseDocument } from './yaml/parse-document.ts';
import { splitDocuments } from './yaml/split-documents.ts';
import { syntaxProblems } from './yaml/syntax-problems.ts';

/** How texts are read. */
export interface ParseOptions {
  /** Where namespaced objects are that do not say; `default` without it. */
  namespace?: string | undefined;
  /** The kinds to know, in place of all that Fairlead knows: for tests. */
  kinds?: readonly Kind[] | undefined;
}

/** What texts hold. With an error among the problems nothing of it is to be applied. */
export interface ParseResult {
  resources: Resource[];
  problems: Problem[];
  /** The last one found: of a ConfigMap `istio`, key `mesh`, or of a MeshConfig file. */
  meshConfig: MeshConfig | undefined;
  /** Where `meshConfig` stands. */
  meshConfigSource: TextSource | undefined;
  /** Objects of kinds that a mesh does not read, counted by `group/version/Kind` (`v1/Kind` for the core group). */
  skipped: Map<string, number>;
}

/** Reads one text, such as an editor's buffer. Never throws for what a text says. */
export async function parseConfig(text: string, file: string, options: ParseOptions = {}): Promise<ParseResult> {
  return parseFiles([textFile(file, text.startsWith('\uFEFF') ? text.slice(1) : text)], options);
}

/** Reads texts in order; objects of all of them must differ in kind, namespace or name. Files in `meshConfigFiles` hold a MeshConfig each. */
export async function parseFiles(
  files: readonly TextFile[],
  options: ParseOptions = {},
  meshConfigFiles: readonly TextFile[] = [],
): Promise<ParseResult> {
  const kinds = options.kinds ?? (await import('./kinds/registry.ts')).kinds;
  const collection = createCollection(kindIndex(kinds), options.namespace ?? 'default');
  for (const file of files) await eachDocument(file, collection, collectObjects);
  for (const file of meshConfigFiles) await eachDocument(file, collection, collectMeshConfig);
  const { resources, problems, meshConfig, meshConfigSource, skipped } = collection;
  for (const [name, { count, source, path }] of skipped) problems.push(skippedWarning(name, count, source.positionOf(path)));
  const counts = new Map([...skipped].map(([name, { count }]) => [name, count]));
  return { resources, problems, meshConfig, meshConfigSource, skipped: counts };
}

type Use = (value: unknown, source: TextSource, collection: Collection) => void;

/** Documents between two pauses in which the process can do other things: some milliseconds' worth. */
const BATCH = 250;

async function eachDocument(file: TextFile, collection: Collection, use: Use): Promise<void> {
  for (const [document, range] of splitDocuments(file.text).entries()) {
    if (document % BATCH === BATCH - 1) await setImmediate();
    const outcome = parseDocument(file.text.slice(range.start, range.end));
    if (!outcome.ok) collection.problems.push(...(await syntaxProblems(file, range, outcome.failure)));
    else if (outcome.value !== null) use(outcome.value, documentSource(file, range, document), collection);
  }
}

/** Once for all objects of a kind. */
function skippedWarning(name: string, count: number, position: Problem['position']): Problem {
  const message =
    count === 1
      ? `one object of kind ${name} is left out: a mesh does not read it`
      : `${count} objects of kind ${name} are left out: a mesh does not read them`;
  return { severity: 'warning', rule: 'kind/skipped', message, ...(position === undefined ? {} : { position }) };
}
