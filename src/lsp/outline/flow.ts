import type { OutlineEntry, OutlineList, OutlineMap, OutlineNode } from './outline.ts';
import { endOfLine, endOfPlain, readQuoted, skipProperties } from './scan.ts';

/** Deeper brackets are not looked into. */
const MAX_DEPTH = 100;

/**
 * Reads `{…}` or `[…]` that begins at `from`. One that is not closed ends before the first line that looks like an entry of a block, so
 * that a bracket just typed does not swallow the rest of the document.
 */
export function scanFlow(text: string, from: number, end: number): { node: OutlineNode; next: number } {
  const limit = closingEnd(text, from, end);
  return readCollection(text, from, limit, 0);
}

interface Read {
  node: OutlineNode;
  next: number;
}

function readCollection(text: string, from: number, end: number, depth: number): Read {
  const isMap = text.charCodeAt(from) === 123;
  const close = isMap ? 125 : 93;
  const map: OutlineMap = { type: 'map', start: from, end, flow: true, entries: [] };
  const list: OutlineList = { type: 'list', start: from, end, flow: true, items: [] };
  const node = isMap ? map : list;
  let at = from + 1;
  for (;;) {
    at = skipSpace(text, at, end);
    const code = text.charCodeAt(at);
    if (at >= end) return { node, next: end };
    if (code === close) {
      node.end = at + 1;
      return { node, next: at + 1 };
    }
    if (code === 44 || code === 125 || code === 93) {
      at++;
      continue;
    }
    const start = at;
    const first = readValue(text, at, end, depth);
    at = skipSpace(text, first.next, end);
    if (text.charCodeAt(at) !== 58 || at >= end) {
      if (!isMap) list.items.push({ start, value: first.node });
      else if (first.node.type === 'scalar') map.entries.push(entryOf(first.node));
      continue;
    }
    at = skipSpace(text, at + 1, end);
    const entry = first.node.type === 'scalar' ? entryOf(first.node) : undefined;
    if (entry !== undefined) {
      if (isMap) map.entries.push(entry);
      // `[key: value]` is a list of a map.
      else list.items.push({ start, value: { type: 'map', start, end: first.next, flow: true, entries: [entry] } });
    }
    const next = text.charCodeAt(at);
    if (at >= end || next === 44 || next === 125 || next === 93) continue;
    const value = readValue(text, at, end, depth);
    if (entry !== undefined) entry.value = value.node;
    at = value.next;
  }
}

const entryOf = (scalar: Extract<OutlineNode, { type: 'scalar' }>): OutlineEntry => ({
  key: scalar.text,
  keyStart: scalar.start,
  keyEnd: scalar.end,
  value: undefined,
});

function readValue(text: string, from: number, end: number, depth: number): Read {
  const at = skipProperties(text, from, end);
  const code = text.charCodeAt(at);
  if ((code === 123 || code === 91) && depth < MAX_DEPTH) return readCollection(text, at, end, depth + 1);
  if (code === 34 || code === 39) {
    const quoted = readQuoted(text, at, end);
    return { node: { type: 'scalar', start: at, end: quoted.end, style: 'quoted', text: quoted.text }, next: quoted.end };
  }
  const stop = endOfPlain(text, at, end, true);
  const node: OutlineNode = { type: 'scalar', start: at, end: stop, style: 'plain', text: text.slice(at, stop) };
  // Never stay on the spot.
  return { node, next: Math.max(stop, from + (stop === from ? 1 : 0)) };
}

function skipSpace(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === 35 && at > from) at = endOfLine(text, at, end);
    else if (code === 32 || code === 9 || code === 10 || code === 13) at++;
    else break;
  }
  return at;
}

/** Text that a collection inside a block may have: longer ones are taken for not closed, so that many open brackets cost no more. */
const LONGEST = 4000;

/** Behind the bracket that closes the one at `from`; when none does, the end of the text that can belong to it. */
function closingEnd(text: string, from: number, end: number): number {
  // A document that is one collection, as JSON is, has its bracket at the start of a line.
  const isWhole = /^(?:---)?[ \t]*$/.test(text.slice(Math.max(text.lastIndexOf('\n', from), from - 100) + 1, from));
  const limit = isWhole ? end : Math.min(end, from + LONGEST);
  let depth = 0;
  for (let at = from; at < limit; at++) {
    const code = text.charCodeAt(at);
    if (code === 123 || code === 91) depth++;
    else if (code === 125 || code === 93) {
      if (--depth === 0) return at + 1;
    } else if ((code === 34 || code === 39) && QUOTE_MAY_OPEN.test(text[at - 1] ?? ' ')) at = readQuoted(text, at, limit).end - 1;
  }
  for (let at = from; at < limit; at++) {
    const code = text.charCodeAt(at);
    if ((code === 10 || code === 13) && BLOCK_ENTRY.test(text.slice(at + 1, Math.min(end, at + 200)))) return at;
  }
  return limit;
}

/** Inside a plain text a quote is a letter. */
const QUOTE_MAY_OPEN = /[\s,[{:]/;

/** A line of a block: a dash, or a key. */
const BLOCK_ENTRY = /^\n?[ \t]*(?:- |---|[A-Za-z][\w.-]*:(?:[ \t]|[\r\n]|$))/;
