import type { FieldPath, Position, Source } from './resource.ts';
import type { TextFile } from './text-file.ts';
import { documentTree, type Found, findNode, type TreeNode } from './yaml/document-tree.ts';
import type { DocumentRange } from './yaml/split-documents.ts';

/** A Source that can also show what was written, for messages. */
export interface TextSource extends Source {
  /** The value at `path` as it is written, for scalars on one line; undefined when it is not there or is something else. */
  writtenAt(path: FieldPath): string | undefined;
  /** The place of an offset in the document's text. */
  at(offset: number): Position;
  /** A source for the YAML text inside the string at `path`, as in a ConfigMap's `mesh` key. */
  embedded(path: FieldPath, text: string): TextSource;
  /** The same document seen from `prefix`, as for the items of a List. */
  within(prefix: FieldPath): TextSource;
}

/** The source of one document. Its tree of positions is made when one is asked for, and kept while few others are asked for. */
export function documentSource(file: TextFile, range: DocumentRange, document: number): DocumentSource {
  return new DocumentSource(new DocumentText(file, range, document), []);
}

/**
 * Documents whose trees are kept. Questions come document by document, a few at a time. No WeakRef: V8 clears those in full collections alone, so that
 * every tree would survive the young generation first (100 MB for 15,000 documents).
 */
const KEPT = 64;
const recent: (DocumentText | undefined)[] = Array.from({ length: KEPT });
let oldest = 0;

/** Shared by all that look at one document. Classes, because a configuration has tens of thousands of them: methods cost nothing each. */
class DocumentText {
  file: TextFile;
  range: DocumentRange;
  /** 0-based place in the file. */
  document: number;
  #tree: TreeNode | undefined;

  constructor(file: TextFile, range: DocumentRange, document: number) {
    this.file = file;
    this.range = range;
    this.document = document;
  }

  get start(): number {
    return this.range.start;
  }

  text(): string {
    return this.file.text.slice(this.range.start, this.range.end);
  }

  find(path: FieldPath): Found {
    if (this.#tree === undefined) {
      this.#tree = documentTree(this.text());
      const evicted = recent[oldest];
      if (evicted !== undefined) evicted.#tree = undefined;
      recent[oldest] = this;
      oldest = (oldest + 1) % KEPT;
    }
    return findNode(this.#tree, path);
  }
}

/** A source of which all that look at the document move together. */
export class DocumentSource implements TextSource {
  readonly #text: DocumentText;
  readonly #prefix: FieldPath;

  constructor(text: DocumentText, prefix: FieldPath) {
    this.#text = text;
    this.#prefix = prefix;
  }

  get document(): number {
    return this.#text.document;
  }

  get place(): object {
    return this.#text.range;
  }

  /** Where it is written, for whoever changes it: a document's place in its file, and where in the document this is (`['items', 3]` in a List). */
  get written(): { file: TextFile; range: DocumentRange; prefix: FieldPath } {
    return { file: this.#text.file, range: this.#text.range, prefix: this.#prefix };
  }

  /** The document stands elsewhere now, with the same text. */
  move(file: TextFile, range: DocumentRange, document: number): void {
    const text = this.#text;
    text.file = file;
    text.range = range;
    text.document = document;
  }

  get file(): string {
    return this.#text.file.name;
  }

  at(offset: number): Position {
    return this.#text.file.positionAt(this.#text.start + offset);
  }

  positionOf(path: FieldPath): Position {
    const { node, entry } = this.#find(path);
    // A value that is left empty has no place of its own; its key has.
    return this.at(node.type === 'scalar' && node.style === 'empty' && entry ? entry.keyStart : node.start);
  }

  keyPositionOf(path: FieldPath): Position {
    const { node, entry } = this.#find(path);
    return this.at(entry?.keyStart ?? node.start);
  }

  writtenAt(path: FieldPath): string | undefined {
    const { node, depth } = this.#find(path);
    if (depth !== this.#prefix.length + path.length || node.type !== 'scalar' || node.style === 'block') return undefined;
    const { file, start } = this.#text;
    const written = file.text.slice(start + node.start, start + node.end);
    return /[\r\n]/.test(written) ? undefined : written;
  }

  embedded(path: FieldPath, text: string): TextSource {
    return embeddedSource(this.#text.file, this.#text.start, this.document, this.#find(path), text);
  }

  within(prefix: FieldPath): TextSource {
    return new DocumentSource(this.#text, [...this.#prefix, ...prefix]);
  }

  #find(path: FieldPath): Found {
    return this.#text.find(this.#prefix.length === 0 ? path : [...this.#prefix, ...path]);
  }
}

/**
 * Positions inside a string that holds YAML itself. In a literal block (`|`) lines map one to one; in other notations every
 * position is that of the string.
 */
function embeddedSource(file: TextFile, base: number, document: number, at: Found, text: string): TextSource {
  return documentSource(innerFile(file, base, at.node, text), { start: 0, end: text.length }, document);
}

function innerFile(file: TextFile, base: number, node: TreeNode, text: string): TextFile {
  const block = node.type === 'scalar' ? node.block : undefined;
  if (block === undefined || block.indent === 0)
    return { name: file.name, text, positionAt: () => file.positionAt(base + node.start), line: (n) => file.line(n) };
  return {
    name: file.name,
    text,
    positionAt(offset): Position {
      const before = text.slice(0, offset);
      const lastBreak = before.lastIndexOf('\n');
      let breaks = 0;
      for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) breaks++;
      const first = file.positionAt(base + block.start).line;
      return { file: file.name, line: first + breaks, column: offset - lastBreak + block.indent };
    },
    line: (n) => file.line(n),
  };
}

/** A source for objects that come from no text, such as a cluster's: every position is the start of `file`. */
export function opaqueSource(file: string): TextSource {
  const position: Position = { file, line: 1, column: 1 };
  const source: TextSource = {
    file,
    document: 0,
    at: () => position,
    positionOf: () => position,
    keyPositionOf: () => position,
    writtenAt: () => undefined,
    embedded: () => source,
    within: () => source,
  };
  return source;
}
