/**
 * What a YAML document is made of, as far as its lines tell: unlike a parser's result it is there while somebody types. Where a parser can
 * read the document the two agree (a test holds them together); anchors and merges are not followed.
 */
import { scanFlow } from './flow.ts';
import { endOfLine, endOfPlain, findColon, readQuoted, skipProperties } from './scan.ts';

export type OutlineNode = OutlineMap | OutlineList | OutlineScalar;

/** Offsets are UTF-16 units from the start of the outlined text. */
export interface OutlineMap {
  readonly type: 'map';
  /** Of the first key, or of the brace. */
  readonly start: number;
  end: number;
  readonly flow: boolean;
  readonly entries: OutlineEntry[];
}

export interface OutlineEntry {
  readonly key: string;
  /** Quotes included. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** undefined: nothing is written there yet. */
  value: OutlineNode | undefined;
}

export interface OutlineList {
  readonly type: 'list';
  /** Of the first dash, or of the bracket. */
  readonly start: number;
  end: number;
  readonly flow: boolean;
  readonly items: OutlineItem[];
}

export interface OutlineItem {
  /** Of the dash; in brackets of the value. */
  readonly start: number;
  value: OutlineNode | undefined;
}

export interface OutlineScalar {
  readonly type: 'scalar';
  readonly start: number;
  end: number;
  readonly style: 'plain' | 'quoted' | 'block';
  /** Without quotes and escapes; of block scalars nothing. */
  readonly text: string;
}

interface Frame {
  readonly column: number;
  readonly node: OutlineMap | OutlineList;
}

interface Scan {
  readonly text: string;
  readonly end: number;
  root: OutlineNode | undefined;
  readonly frames: Frame[];
  /** The column that a block scalar's owner is at: deeper lines are its text. */
  block: { readonly column: number; readonly node: OutlineScalar } | undefined;
}

/** Deeper lines are not looked at: a parser refuses them as well. */
const MAX_FRAMES = 200;

/** The outline of `text` from `start` to `end`, which hold one document. Never throws; takes time linear in the length. */
export function outline(text: string, start = 0, end = text.length): OutlineNode | undefined {
  const scan: Scan = { text, end, root: undefined, frames: [], block: undefined };
  for (let at = start; at < end; ) at = scanLine(scan, at);
  return scan.root;
}

/** Reads what begins on the line at `lineStart`; the start of the next line that is not read yet. */
function scanLine(scan: Scan, lineStart: number): number {
  const { text, end } = scan;
  let at = lineStart;
  while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  const code = at < end ? text.charCodeAt(at) : 10;
  if (code === 10 || code === 13) return endOfLine(text, at, end);
  let column = at - lineStart;
  if (scan.block !== undefined) {
    if (column > scan.block.column) {
      const next = endOfLine(text, at, end);
      scan.block.node.end = trimEnd(text, at, next);
      return next;
    }
    scan.block = undefined;
  }
  if (code === 35) return endOfLine(text, at, end);
  if (column === 0 && /^(?:---|\.\.\.)(?=\s|$)|^%/.test(text.slice(at, at + 4))) {
    if (code !== 45) return endOfLine(text, at, end);
    at += 3;
    while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
    column = at - lineStart;
  }
  return scanContent(scan, lineStart, at, column);
}

function scanContent(scan: Scan, lineStart: number, from: number, first: number): number {
  const { text, end, frames } = scan;
  let at = from;
  let column = first;
  for (;;) {
    const code = at < end ? text.charCodeAt(at) : 10;
    if (code === 10 || code === 13 || code === 35) return endOfLine(text, at, end);
    const dash = code === 45 && isBlankAt(text, at + 1, end);
    while (frames.length > 0 && isClosedBy(frames.at(-1)!, column, dash)) frames.pop();
    if (!dash) break;
    const list = openList(scan, column, at);
    if (list === undefined) return endOfLine(text, at, end);
    list.items.push({ start: at, value: undefined });
    list.end = at + 1;
    at++;
    while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
    column = at - lineStart;
  }
  const start = skipProperties(text, at, end);
  const colon = findColon(text, start, end);
  if (colon === undefined) return scanValue(scan, start, column - 1, undefined);
  const map = openMap(scan, column, start);
  if (map === undefined) return endOfLine(text, at, end);
  const entry: OutlineEntry = { key: colon.key, keyStart: start, keyEnd: colon.keyEnd, value: undefined };
  map.entries.push(entry);
  map.end = colon.colon + 1;
  return scanValue(scan, skipProperties(text, colon.colon + 1, end), column, entry);
}

/** Reads a value that begins at `from`, for `entry` or else for what waits for one; `column` is that of its owner. */
function scanValue(scan: Scan, from: number, column: number, entry: OutlineEntry | undefined): number {
  const { text, end, frames } = scan;
  const code = from < end ? text.charCodeAt(from) : 10;
  if (code === 10 || code === 13 || code === 35) return endOfLine(text, from, end);
  const put = (node: OutlineNode): void => {
    if (entry !== undefined) entry.value = node;
    else attach(scan, node);
    for (const frame of frames) frame.node.end = Math.max(frame.node.end, node.end);
  };
  if (code === 124 || code === 62) {
    const node: OutlineScalar = { type: 'scalar', start: from, end: from + 1, style: 'block', text: '' };
    put(node);
    scan.block = { column: entry === undefined ? (frames.at(-1)?.column ?? -1) : column, node };
    return endOfLine(text, from, end);
  }
  if (code === 123 || code === 91) {
    const flow = scanFlow(text, from, end);
    put(flow.node);
    return endOfLine(text, flow.next, end);
  }
  if (code === 34 || code === 39) {
    const quoted = readQuoted(text, from, end);
    put({ type: 'scalar', start: from, end: quoted.end, style: 'quoted', text: quoted.text });
    return endOfLine(text, quoted.end, end);
  }
  const stop = endOfPlain(text, from, end);
  put({ type: 'scalar', start: from, end: stop, style: 'plain', text: text.slice(from, stop) });
  return endOfLine(text, stop, end);
}

/** A line at `column` ends what is deeper; one that is no entry of a list also the list that stands in the column of its key. */
function isClosedBy(frame: Frame, column: number, dash: boolean): boolean {
  return frame.column > column || (frame.column === column && frame.node.type === 'list' && !dash);
}

function openList(scan: Scan, column: number, at: number): OutlineList | undefined {
  const top = scan.frames.at(-1);
  if (top?.column === column && top.node.type === 'list') return top.node;
  return open(scan, column, { type: 'list', start: at, end: at, flow: false, items: [] });
}

function openMap(scan: Scan, column: number, at: number): OutlineMap | undefined {
  const top = scan.frames.at(-1);
  if (top?.column === column && top.node.type === 'map') return top.node;
  return open(scan, column, { type: 'map', start: at, end: at, flow: false, entries: [] });
}

/** Puts a collection where one is waited for; undefined where there is no such place. */
function open<Node extends OutlineMap | OutlineList>(scan: Scan, column: number, node: Node): Node | undefined {
  if (scan.frames.length >= MAX_FRAMES || !attach(scan, node)) return undefined;
  scan.frames.push({ column, node });
  return node;
}

function attach(scan: Scan, node: OutlineNode): boolean {
  const top = scan.frames.at(-1)?.node;
  if (top === undefined) {
    if (scan.root !== undefined) return false;
    scan.root = node;
    return true;
  }
  const slot = top.type === 'map' ? top.entries.at(-1) : top.items.at(-1);
  if (slot === undefined || slot.value !== undefined) return false;
  slot.value = node;
  return true;
}

function isBlankAt(text: string, at: number, end: number): boolean {
  if (at >= end) return true;
  const code = text.charCodeAt(at);
  return code === 32 || code === 9 || code === 10 || code === 13;
}

function trimEnd(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && (text.charCodeAt(end - 1) === 10 || text.charCodeAt(end - 1) === 13)) end--;
  return end;
}
