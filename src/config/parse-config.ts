import { setImmediate } from 'node:timers/promises';
import { type Contents, collectMeshConfig, collectObjects, type Entry } from './collect-objects.ts';
import type { TextSource } from './document-source.ts';
import { type FileMemo, type ReadDocument, recallDocuments } from './file-memo.ts';
import { kindIndex } from './kind-index.ts';
import type { Kind } from './kinds/kind.ts';
import { mergeDocuments, type ParseResult } from './merge-documents.ts';
import { entriesOfObject, type SourceObject } from './source-object.ts';
import { sizeOfObjects, withSteadyHeap } from './steady-heap.ts';
import { type TextFile, textFile } from './text-file.ts';
import { parseDocument } from './yaml/parse-document.ts';
import { syntaxProblems } from './yaml/syntax-problems.ts';

export type { ParseResult } from './merge-documents.ts';

/** How texts are read. */
export interface ParseOptions {
  /** Where namespaced objects are that do not say; `default` without it. */
  namespace?: string | undefined;
  /** The kinds to know, in place of all that Fairlead knows: for tests. */
  kinds?: readonly Kind[] | undefined;
  /** A cluster's objects that are wrong are left out, with a warning, and do not make the whole wrong; see `entriesOfObject`. */
  leaveOut?: boolean | undefined;
}

/** What a parser made of files the last time, by their names. */
export type ParseMemo = Map<string, FileMemo>;

/** Reads one text, such as an editor's buffer. Never throws for what a text says. */
export async function parseConfig(text: string, file: string, options: ParseOptions = {}): Promise<ParseResult> {
  return parseFiles([textFile(file, text.startsWith('\uFEFF') ? text.slice(1) : text)], options);
}

/**
 * Reads texts in order; objects of all of them must differ in kind, namespace or name. Files in `meshConfigFiles` hold a MeshConfig each.
 *
 * @param memo is filled, and used the next time with the same options: documents whose text is the same are not parsed again, and their
 *   resources are the same objects. From the end of that call on these objects say where they stand in the new text
 * @param objects of a cluster, after all files; one that was read before gives the same resource
 */
export async function parseFiles(
  files: readonly TextFile[],
  options: ParseOptions = {},
  meshConfigFiles: readonly TextFile[] = [],
  memo: ParseMemo = new Map(),
  objects: readonly SourceObject[] = [],
): Promise<ParseResult> {
  const kinds = kindIndex(options.kinds ?? (await import('./kinds/registry.ts')).kinds);
  const namespace = options.namespace ?? 'default';
  const plans = [
    ...files.map((file) => ({ key: file.name, file, use: collectObjects, recalled: recallDocuments(file, memo.get(file.name)) })),
    ...meshConfigFiles.map((file) => {
      const key = `${file.name} as MeshConfig`;
      return { key, file, use: collectMeshConfig, recalled: recallDocuments(file, memo.get(key)) };
    }),
  ];
  const size = plans.reduce((sum, { recalled }) => sum + recalled.unread, 0) + sizeOfObjects(objects.length);
  const ofObjects: (readonly Entry[])[] = [];
  await withSteadyHeap(size, async () => {
    let count = 0;
    for (const { file, use, recalled } of plans) {
      for (const document of recalled.documents) {
        if (document.entries !== undefined) continue;
        if (++count % BATCH === 0) await setImmediate();
        document.entries = await readDocument(file, document, use, { kinds, namespace, entries: [] });
      }
    }
    for (const object of objects) {
      const { entries, fresh } = entriesOfObject(object, { kinds, namespace, leaveOut: options.leaveOut ?? false });
      if (fresh && ++count % BATCH === 0) await setImmediate();
      ofObjects.push(entries);
    }
  });
  // At once, so that nobody sees one resource moved and another not.
  memo.clear();
  for (const { key, recalled } of plans) memo.set(key, recalled.finish());
  return mergeDocuments([...documentsOf(plans.map(({ recalled }) => recalled.documents)), ...ofObjects]);
}

function* documentsOf(files: readonly (readonly ReadDocument[])[]): Generator<NonNullable<ReadDocument['entries']>> {
  for (const documents of files) for (const { entries } of documents) if (entries !== undefined) yield entries;
}

type Use = (value: unknown, source: TextSource, contents: Contents) => void;

/** Documents between two pauses in which the process can do other things: some milliseconds' worth. */
const BATCH = 250;

async function readDocument(file: TextFile, { range, source }: ReadDocument, use: Use, contents: Contents): Promise<Contents['entries']> {
  const outcome = parseDocument(file.text.slice(range.start, range.end));
  if (!outcome.ok) {
    const problems = await syntaxProblems(file, range, outcome.failure);
    return problems.map((problem) => ({ type: 'problem', problem }));
  }
  if (outcome.value !== null) use(outcome.value, source, contents);
  return contents.entries;
}
