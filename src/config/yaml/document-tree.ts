import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import type { FieldPath } from '../resource.ts';
import { MAX_DEPTH } from './parse-document.ts';
import { type PlainMaker, readPlainDocument } from './plain-document.ts';
import { resolveScalar, STRING } from './resolve-scalar.ts';
import { keyText } from './schema.ts';

/** Where a value stands. Offsets are UTF-16 units from the document's start. */
export type TreeNode = ScalarNode | MapNode | ListNode | AliasNode;

export interface ScalarNode {
  type: 'scalar';
  /** Of the quote or the `|`, for those; `end` is behind the last character. */
  start: number;
  end: number;
  style: 'plain' | 'quoted' | 'block' | 'empty';
  /** Block scalars: where the text begins and how far it is indented; 0 for folded ones, whose lines do not map one to one. */
  block?: { start: number; indent: number };
}

export interface MapNode {
  type: 'map';
  start: number;
  entries: MapEntry[];
  /** Values of `<<` keys, first wins. */
  merged: readonly TreeNode[];
  /** Of the entries, when there are many and one was looked for. */
  byName?: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  name: string;
  keyStart: number;
  keyEnd: number;
  value: TreeNode;
}

export interface ListNode {
  type: 'list';
  start: number;
  items: TreeNode[];
}

export interface AliasNode {
  type: 'alias';
  start: number;
  target: TreeNode | undefined;
}

/** The positions of everything in a document that `parseDocument` could read; by the same readers, so the two agree. */
export function documentTree(text: string): TreeNode {
  return readPlainDocument(text, NODES) ?? treeOfAnyDocument(text);
}

const NONE: readonly TreeNode[] = [];

const NODES: PlainMaker<TreeNode, MapNode, ListNode> = {
  plain: (_text, start, end) => ({ type: 'scalar', start, end, style: 'plain' }),
  quoted: (_text, start, end) => ({ type: 'scalar', start, end, style: 'quoted' }),
  empty: (at) => ({ type: 'scalar', start: at, end: at, style: 'empty' }),
  map: (start) => ({ type: 'map', start, entries: [], merged: NONE }),
  put(map, name, keyStart, keyEnd, value) {
    map.entries.push({ name, keyStart, keyEnd, value });
    return true;
  },
  list: (start) => ({ type: 'list', start, items: [] }),
  push: (list, value) => void list.items.push(value),
};

/** As `documentTree`, however the document is written. Exported for the test that holds the two to each other. */
export function treeOfAnyDocument(text: string): TreeNode {
  const events = parseEvents(text, { maxDepth: MAX_DEPTH });
  const anchors = new Map<string, TreeNode>();
  let next = 0;
  /** Behind the last scalar or alias. */
  let lastEnd = 0;

  const read = (emptyAt: number): TreeNode => {
    const event = events[next++]!;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        lastEnd = Math.max(lastEnd, event.valueEnd);
        return remember(event, scalarNode(text, event, emptyAt));
      case EVENT_ID.ALIAS:
        lastEnd = event.anchorEnd;
        return { type: 'alias', start: event.anchorStart - 1, target: anchors.get(text.slice(event.anchorStart, event.anchorEnd)) };
      case EVENT_ID.SEQUENCE: {
        const node: ListNode = { type: 'list', start: event.start, items: [] };
        remember(event, node);
        while (events[next]!.type !== EVENT_ID.POP) {
          const item = events[next]!;
          const empty = item.type === EVENT_ID.SCALAR && item.valueStart === -1;
          node.items.push(read(empty && node.items.length > 0 ? dashAfter(text, lastEnd) : event.start));
        }
        next++;
        return node;
      }
      case EVENT_ID.MAPPING: {
        const node: MapNode = { type: 'map', start: event.start, entries: [], merged: NONE };
        remember(event, node);
        while (events[next]!.type !== EVENT_ID.POP) readEntry(node);
        next++;
        return node;
      }
      default:
        return { type: 'scalar', start: 0, end: 0, style: 'empty' };
    }
  };
  const readEntry = (map: MapNode): void => {
    const key = events[next]!;
    const keyNode = read(map.start);
    const value = read(keyNode.start);
    const keyEnd = keyNode.type === 'scalar' ? keyNode.end : keyNode.start + 1;
    const name = key.type === EVENT_ID.SCALAR ? keyName(text, key) : undefined;
    if (name === undefined) return;
    if (name === '<<' && key.type === EVENT_ID.SCALAR && key.style === SCALAR_STYLE.PLAIN) map.merged = [...map.merged, value];
    else map.entries.push({ name, keyStart: keyNode.start, keyEnd, value });
  };
  const remember = <Node extends TreeNode>(event: { anchorStart: number; anchorEnd: number }, node: Node): Node => {
    if (event.anchorStart !== -1) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  };

  // The first event opens the document.
  while (next < events.length && events[next]!.type === EVENT_ID.DOCUMENT) next++;
  return next < events.length ? read(0) : { type: 'scalar', start: 0, end: 0, style: 'empty' };
}

function keyName(text: string, event: Event & ScalarEvent): string | undefined {
  const source = event.valueStart === -1 ? '' : getScalarValue(text, event);
  if (event.style !== SCALAR_STYLE.PLAIN || event.tagStart !== -1) return source;
  const value = resolveScalar(source);
  return value === STRING ? source : keyText(value);
}

function scalarNode(text: string, event: ScalarEvent, emptyAt: number): ScalarNode {
  const { valueStart, valueEnd, style } = event;
  if (valueStart === -1) return { type: 'scalar', start: emptyAt, end: emptyAt, style: 'empty' };
  switch (style) {
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return { type: 'scalar', start: valueStart - 1, end: valueEnd + 1, style: 'quoted' };
    case SCALAR_STYLE.LITERAL_BLOCK:
    case SCALAR_STYLE.FOLDED_BLOCK: {
      const indent = style === SCALAR_STYLE.LITERAL_BLOCK ? event.indent : 0;
      return { type: 'scalar', start: blockHeader(text, valueStart), end: valueEnd, style: 'block', block: { start: valueStart, indent } };
    }
    default:
      return { type: 'scalar', start: valueStart, end: valueEnd, style: 'plain' };
  }
}

/** Offset of the next `-`: an empty entry of a list has no other place. `from` when something else comes first. */
function dashAfter(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 45) return at;
    if (code === 35) while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at++;
    else if (!BETWEEN_ENTRIES.has(code)) return from;
  }
  return from;
}

/** White space, and what may close the entry before: quotes, brackets and braces. */
const BETWEEN_ENTRIES = new Set([...' \t\r\n"\'])},:'].map((c) => c.charCodeAt(0)));

/** Offset of the `|` or `>` on the line before a block scalar's text. */
function blockHeader(text: string, contentStart: number): number {
  const lineStart = Math.max(text.lastIndexOf('\n', contentStart - 2), text.lastIndexOf('\r', contentStart - 3)) + 1;
  const found = /[|>][-+0-9]*[ \t]*(?:[ \t]#.*)?[\r\n]*$/.exec(text.slice(lineStart, contentStart));
  return found === null ? contentStart : lineStart + found.index;
}

/** What a path leads to: the node, the entry when the last step was a key, and how many steps were there. */
export interface Found {
  node: TreeNode;
  entry: MapEntry | undefined;
  depth: number;
}

/** Follows a path as far as it is there; aliases and merge keys are followed to where the value was written. */
export function findNode(root: TreeNode, path: FieldPath): Found {
  let found: Found = { node: root, entry: undefined, depth: 0 };
  for (const step of path) {
    const node = targetOf(found.node);
    if (node === undefined) break;
    if (node.type === 'list' && typeof step === 'number' && node.items[step] !== undefined) {
      found = { node: node.items[step], entry: undefined, depth: found.depth + 1 };
    } else if (node.type === 'map') {
      const entry = findEntry(node, String(step), new Set());
      if (entry === undefined) break;
      found = { node: entry.value, entry, depth: found.depth + 1 };
    } else break;
  }
  return found;
}

function targetOf(node: TreeNode): TreeNode | undefined {
  let at: TreeNode | undefined = node;
  // An alias leads to an anchor, which is no alias; the bound is for hostile input.
  for (let i = 0; at?.type === 'alias' && i < MAX_DEPTH; i++) at = at.target;
  return at;
}

/** Above this an index is worth its making. */
const MANY_ENTRIES = 16;

function entryOf(map: MapNode, name: string): MapEntry | undefined {
  if (map.entries.length <= MANY_ENTRIES) return map.entries.find((entry) => entry.name === name);
  map.byName ??= new Map(map.entries.map((entry) => [entry.name, entry]));
  return map.byName.get(name);
}

function findEntry(map: MapNode, name: string, visited: Set<MapNode>): MapEntry | undefined {
  const own = entryOf(map, name);
  if (own !== undefined || visited.has(map)) return own;
  visited.add(map);
  for (const merged of map.merged) {
    const target = targetOf(merged);
    for (const source of target?.type === 'list' ? target.items : [target]) {
      const node = source === undefined ? undefined : targetOf(source);
      const entry = node?.type === 'map' ? findEntry(node, name, visited) : undefined;
      if (entry !== undefined) return entry;
    }
  }
  return undefined;
}
