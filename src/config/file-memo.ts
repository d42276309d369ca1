import type { Entry } from './collect-objects.ts';
import { type DocumentSource, documentSource } from './document-source.ts';
import type { TextFile } from './text-file.ts';
import { commonEnds } from './yaml/common-ends.ts';
import { type DocumentRange, splitDocuments } from './yaml/split-documents.ts';

/** A document of a file, and what was read in it. */
export interface ReadDocument {
  readonly range: DocumentRange;
  readonly source: DocumentSource;
  /** undefined: still to be read. */
  entries: readonly Entry[] | undefined;
}

/** A file as it was read the last time. */
export interface FileMemo {
  readonly file: TextFile;
  readonly documents: readonly ReadDocument[];
}

/** A file's documents, those that are known by their text already read. */
export interface Recalled {
  readonly documents: readonly ReadDocument[];
  /** Length of the text that is still to be read, in UTF-16 units. */
  readonly unread: number;
  /** To be called when all is read: known documents that stand elsewhere now are moved there. */
  finish(): FileMemo;
}

/** Splits `file`, and finds in `before` what has the same text. */
export function recallDocuments(file: TextFile, before: FileMemo | undefined): Recalled {
  if (before?.file === file) return { documents: before.documents, unread: 0, finish: () => before };
  const ranges = splitDocuments(file.text);
  const known = before === undefined ? [] : match(file, ranges, before);
  let unread = 0;
  const documents = ranges.map((range, index): ReadDocument => {
    const old = known[index];
    if (old !== undefined && canStay(old, range, before!.file, file)) return { range, source: old.source, entries: old.entries };
    unread += range.end - range.start;
    return { range, source: documentSource(file, range, index), entries: undefined };
  });
  return {
    documents,
    unread,
    finish() {
      for (const [index, { range, source }] of documents.entries()) source.move(file, range, index);
      return { file, documents };
    },
  };
}

/** Problems have their position in them: documents with some are read anew when their lines, or the file's name, are others. */
function canStay(old: ReadDocument, range: DocumentRange, before: TextFile, file: TextFile): boolean {
  if (!old.entries!.some((entry) => entry.type === 'problem')) return true;
  return before.name === file.name && before.positionAt(old.range.start).line === file.positionAt(range.start).line;
}

/** For each of `ranges` the document of `before` with the same text, each at most once. Ranges of documents that did not move become those of before. */
function match(file: TextFile, ranges: DocumentRange[], before: FileMemo): (ReadDocument | undefined)[] {
  const found: (ReadDocument | undefined)[] = [];
  const { text } = file;
  const { documents } = before;
  const old = before.file.text;
  const { start: same, end: sameEnd } = commonEnds(old, text);
  let first = 0;
  for (; first < ranges.length && first < documents.length; first++) {
    const [now, then] = [ranges[first]!, documents[first]!.range];
    if (now.start !== then.start || now.end !== then.end || now.end > same) break;
    // All that is before it is the same as well: it is where it was.
    ranges[first] = then;
    found[first] = documents[first];
  }
  let last = ranges.length;
  let oldLast = documents.length;
  for (; last > first && oldLast > first; last--, oldLast--) {
    const [now, then] = [ranges[last - 1]!, documents[oldLast - 1]!.range];
    const aligned = text.length - now.start === old.length - then.start && text.length - now.end === old.length - then.end;
    if (!aligned || text.length - now.start > sameEnd) break;
    found[last - 1] = documents[oldLast - 1];
  }
  const byText = new Map<string, ReadDocument[]>();
  for (const document of documents.slice(first, oldLast)) {
    const key = old.slice(document.range.start, document.range.end);
    const list = byText.get(key);
    if (list === undefined) byText.set(key, [document]);
    else list.push(document);
  }
  for (let i = first; i < last; i++) found[i] = byText.get(text.slice(ranges[i]!.start, ranges[i]!.end))?.shift();
  return found;
}
