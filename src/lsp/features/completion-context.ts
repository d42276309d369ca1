import type { Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { FieldPath } from '../../config/resource.ts';
import { type OutlinedObject, objectAt, outlineAt } from '../outline/document.ts';
import type { OutlineMap, OutlineNode } from '../outline/outline.ts';

/** What could be written at a place. */
export interface CompletionContext {
  /** A key of the map at `path`, or the value at `path`; from the object's root. */
  readonly wants: 'key' | 'value';
  readonly path: FieldPath;
  readonly object: OutlinedObject;
  /** Keys that the map has already. */
  readonly siblings: readonly string[];
  /** What is typed so far, and where: it is replaced. */
  readonly partial: string;
  readonly range: Range;
  /** 0-based column at which what is typed begins. */
  readonly column: number;
  /** A quote stands before it. */
  readonly quoted: boolean;
  /** A colon stands behind it. */
  readonly hasColon: boolean;
  /** Inside braces or brackets. */
  readonly flow: boolean;
}

/** Letters that no document has: the outline is made with this in the place of what is typed, and read off around it. */
const MARK = '\u{F8FF}fairlead\u{F8FF}';
const PARTIAL = /[^\s,{}[\]"'#:&!|>`]*$/;
const REST = /^[^\s,{}[\]"'#:]*/;

/** What the cursor's place asks for; undefined in comments, in the text of blocks, and where nothing can follow. */
export function completionContext(document: TextDocument, position: { line: number; character: number }): CompletionContext | undefined {
  const text = document.getText();
  const offset = document.offsetAt(position);
  const lineStart = document.offsetAt({ line: position.line, character: 0 });
  const before = text.slice(lineStart, offset);
  if (/^\s*#|\s#(?=(?:[^"']|"[^"]*"|'[^']*')*$)/.test(before)) return undefined;
  const partial = PARTIAL.exec(before)![0];
  const from = offset - partial.length;
  const to = offset + REST.exec(text.slice(offset, offset + 300))![0].length;
  const hasColon = /^["']?[ \t]*:(?:\s|$)/.test(text.slice(to, to + 50));
  const isBare = /^[ \t]*(?:-[ \t]+)*["']?$/.test(text.slice(lineStart, from));
  const place = {
    partial,
    range: { start: document.positionAt(from), end: document.positionAt(to) },
    column: from - lineStart,
    quoted: /["']/.test(text[from - 1] ?? ''),
    hasColon,
  };
  const find = (mark: string): CompletionContext | undefined => {
    const marked = text.slice(0, from) + mark + text.slice(to);
    const root = outlineAt(marked, from)?.root;
    const found = findMark(root, []);
    if (found === undefined) return undefined;
    const object = objectAt(root, found.path);
    const path = found.path.slice(object.prefix.length);
    return { ...place, ...found, path, object, flow: found.flow };
  };
  if (!isBare || hasColon) return find(MARK);
  const plain = find(MARK);
  // At the start of a line a key is what the document can go on with, unless it stands in brackets.
  return plain?.flow === true ? plain : (find(place.quoted ? MARK : `${MARK}:`) ?? plain);
}

interface Marked {
  wants: 'key' | 'value';
  path: (string | number)[];
  siblings: string[];
  flow: boolean;
}

function findMark(node: OutlineNode | undefined, path: (string | number)[], flow = false): Marked | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'scalar') return node.text === MARK ? { wants: 'value', path, siblings: [], flow } : undefined;
  if (node.type === 'list') {
    for (const [i, item] of node.items.entries()) {
      const found = findMark(item.value, [...path, i], node.flow);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const entry of node.entries) {
    if (entry.key === MARK) return { wants: 'key', path, siblings: otherKeys(node), flow: node.flow };
    const found = findMark(entry.value, [...path, entry.key], node.flow);
    if (found !== undefined) return found;
  }
  return undefined;
}

const otherKeys = (map: OutlineMap): string[] => map.entries.map(({ key }) => key).filter((key) => key !== MARK);
