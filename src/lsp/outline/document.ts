import type { FieldPath } from '../../config/resource.ts';
import { splitDocuments } from '../../config/yaml/split-documents.ts';
import { type OutlineEntry, type OutlineNode, outline } from './outline.ts';

/** One document of a text, as far as its lines tell. Offsets of its nodes are those of the whole text. */
export interface OutlinedDocument {
  readonly start: number;
  readonly end: number;
  readonly root: OutlineNode | undefined;
}

/** An object that a document holds: the document itself, or an item of its List. */
export interface OutlinedObject {
  readonly root: OutlineNode | undefined;
  /** Where it is in its document: empty, or `['items', 3]`. */
  readonly prefix: FieldPath;
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** All documents of a text. */
export function outlineDocuments(text: string): OutlinedDocument[] {
  return splitDocuments(text).map(({ start, end }) => ({ start, end, root: outline(text, start, end) }));
}

/** The document that `offset` is in; undefined where none has content. */
export function outlineAt(text: string, offset: number): OutlinedDocument | undefined {
  const ranges = splitDocuments(text);
  const range = ranges.findLast(({ start }) => start <= offset);
  if (range === undefined) return undefined;
  return { ...range, root: outline(text, range.start, range.end) };
}

/** What stands at `path`; undefined when nothing does. */
export function nodeAt(root: OutlineNode | undefined, path: FieldPath): OutlineNode | undefined {
  let node = root;
  for (const step of path) {
    if (node?.type === 'list' && typeof step === 'number') node = node.items[step]?.value;
    else if (node?.type === 'map') node = node.entries.find((entry) => entry.key === step)?.value;
    else return undefined;
  }
  return node;
}

/** The text of the scalar at `path`. */
export function textAt(root: OutlineNode | undefined, path: FieldPath): string | undefined {
  const node = nodeAt(root, path);
  return node?.type === 'scalar' && node.style !== 'block' ? node.text : undefined;
}

/** The object that `path` leads into. */
export function objectAt(root: OutlineNode | undefined, path: FieldPath): OutlinedObject {
  const inList = path[0] === 'items' && typeof path[1] === 'number' && (textAt(root, ['kind']) ?? '').endsWith('List');
  const prefix = inList ? path.slice(0, 2) : [];
  const own = inList ? nodeAt(root, prefix) : root;
  const scalar = (...field: string[]): string | undefined => textAt(own, field);
  return {
    root: own,
    prefix,
    apiVersion: scalar('apiVersion'),
    kind: scalar('kind'),
    name: scalar('metadata', 'name'),
    namespace: scalar('metadata', 'namespace'),
  };
}

/** What an offset is on. */
export interface Located {
  /** From the document's root. */
  readonly path: FieldPath;
  readonly on: 'key' | 'value';
  /** Of the key or value, half open. */
  readonly start: number;
  readonly end: number;
  /** The key or the scalar. */
  readonly text: string;
}

/** The key or scalar that `offset` touches. */
export function locate(root: OutlineNode | undefined, offset: number): Located | undefined {
  const path: (string | number)[] = [];
  for (let node = root; node !== undefined; ) {
    if (node.type === 'scalar') {
      const { start, end, style, text } = node;
      const isOn = style !== 'block' && start <= offset && offset <= end;
      return isOn ? { path, on: 'value', start, end, text } : undefined;
    }
    if (node.type === 'list') {
      const index = node.items.findLastIndex((item) => item.start <= offset);
      if (index === -1) return undefined;
      path.push(index);
      node = node.items[index]!.value;
      continue;
    }
    const entry: OutlineEntry | undefined = node.entries.findLast(({ keyStart }) => keyStart <= offset);
    if (entry === undefined) return undefined;
    path.push(entry.key);
    if (offset <= entry.keyEnd) return { path, on: 'key', start: entry.keyStart, end: entry.keyEnd, text: entry.key };
    node = entry.value;
  }
  return undefined;
}
