/**
 * Changes to a configuration's files, collected before anything is written: they can be shown, checked and written together. Only what
 * is changed is rewritten; comments and layout of everything else stay.
 */
import { DocumentSource } from '../config/document-source.ts';
import { type FieldPath, originOf, type Resource } from '../config/resource.ts';
import { parseDocument } from '../config/yaml/parse-document.ts';
import { FairleadError } from '../errors.ts';
import { editDocument } from './edit-document.ts';
import type { Value } from './equal.ts';
import { renderDocument } from './render.ts';
import { withValue } from './with-value.ts';

/** One file, as it was read and as it is to be. */
export interface FileChange {
  file: string;
  /** undefined: it is made. */
  before: string | undefined;
  /** undefined: nothing is left in it; it goes. */
  after: string | undefined;
}

/** Changes to what a configuration holds, wherever it holds it: in files, or in a cluster. */
export interface Edits {
  /** Sets the field at `path` of a resource; undefined takes it out. Maps and lists on the way are made. */
  set(resource: Resource, path: FieldPath, value: Value): void;
  /** Takes a whole resource away. */
  remove(resource: Resource): void;
  /**
   * Adds a document at the end of a file, which is made when it is not there. A cluster has no files.
   * @param text what is in the file; undefined when it is not there
   */
  add(file: string, text: string | undefined, document: object): void;
}

export interface Draft extends Edits {
  /** Throws FairleadError E_EDIT_REFUSED when a document cannot be changed as asked. */
  changes(): FileChange[];
}

interface DocumentDraft {
  start: number;
  end: number;
  resource: Resource;
  /** undefined: the document goes. */
  value: Value;
}

interface FileDraft {
  before: string | undefined;
  documents: Map<number, DocumentDraft>;
  added: object[];
}

/** A draft without changes. */
export function createDraft(): Draft {
  const files = new Map<string, FileDraft>();

  function fileDraft(file: string, before: string | undefined): FileDraft {
    const known = files.get(file) ?? { before, documents: new Map(), added: [] };
    files.set(file, known);
    return known;
  }

  function documentOf(resource: Resource): { draft: DocumentDraft; prefix: FieldPath } {
    const { source } = resource;
    if (!(source instanceof DocumentSource) || source.file === '-') throw refused(resource, `it does not come from a file: ${source.file}`);
    const { file, range, prefix } = source.written;
    const { documents } = fileDraft(file.name, file.text);
    let draft = documents.get(range.start);
    if (draft === undefined) {
      const read = parseDocument(file.text.slice(range.start, range.end));
      if (!read.ok) throw refused(resource, read.failure.reason);
      draft = { start: range.start, end: range.end, resource, value: read.value };
      documents.set(range.start, draft);
    }
    return { draft, prefix };
  }

  return {
    set(resource, path, value) {
      const { draft, prefix } = documentOf(resource);
      draft.value = withValue(draft.value, [...prefix, ...path], value);
    },
    remove(resource) {
      const { draft, prefix } = documentOf(resource);
      draft.value = prefix.length === 0 ? undefined : withValue(draft.value, prefix, undefined);
    },
    add(file, text, document) {
      fileDraft(file, text).added.push(document);
    },
    changes: () =>
      [...files]
        .map(([file, draft]) => ({ file, before: draft.before, after: textOf(draft) }))
        .filter((change) => change.before !== change.after),
  };
}

function textOf({ before, documents, added }: FileDraft): string | undefined {
  let text = '';
  let at = 0;
  const whole = before ?? '';
  for (const draft of [...documents.values()].sort((a, b) => a.start - b.start)) {
    text += whole.slice(at, draft.start) + (draft.value === undefined ? '' : edited(whole, draft));
    at = draft.end;
  }
  text += whole.slice(at);
  for (const document of added) text = appended(text, document);
  return text.trim() === '' ? undefined : text;
}

function edited(whole: string, { start, end, value, resource }: DocumentDraft): string {
  const outcome = editDocument(whole.slice(start, end), value);
  if (outcome.ok) return outcome.text;
  throw refused(resource, outcome.reason);
}

function appended(text: string, document: object): string {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const body = renderDocument(document).replaceAll('\n', lineBreak);
  if (text.trim() === '') return text + body;
  const closed = text.endsWith('\n') ? text : text + lineBreak;
  return `${closed}---${lineBreak}${body}`;
}

function refused(resource: Resource, why: string): FairleadError {
  return new FairleadError('E_EDIT_REFUSED', `${originOf(resource)} cannot be changed: ${why}`, {
    position: resource.source.positionOf([]),
  });
}
