/** From the difference of two values to the changes of the text that holds the first one. */
import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { align } from './align.ts';
import { isEqual, isMapValue, type Value } from './equal.ts';
import { afterLines, deletedLines, type Range } from './lines.ts';
import { columnOf, contentEnd, dashOf, pairEnd, pairStart } from './nodes.ts';
import { renderBlock, renderFlow, renderScalar, type Style } from './render.ts';
import type { Splice } from './splice.ts';

/** Where a value stands: behind a key of a block map, behind the dash of a block list, or on one line with others (`flow`, the root). */
type Place = { in: 'map'; pair: Pair } | { in: 'list' } | { in: 'flow' };

/** The splices that turn the text of `before` into one of `after`; undefined when the text is not what the value says (merge keys). */
export function reconcile(text: string, root: Node, before: Value, after: Value, style: Style): Splice[] | undefined {
  const splices: Splice[] = [];
  return change(root, before, after, { in: 'list' }) ? splices.map((s) => apartFromComment(text, s)) : undefined;

  function change(node: Node, from: Value, to: Value, place: Place): boolean {
    if (isEqual(from, to)) return true;
    const inline = place.in === 'flow' || (isCollection(node) && node.flow === true);
    // `{}` and `[]` are written anew: as a block where there is room for one.
    const empty = isCollection(node) && node.items.length === 0;
    if (!empty && isMap(node) && isMapValue(from) && isMapValue(to) && Object.keys(to).some((key) => Object.hasOwn(from, key)))
      return changeMap(node, from, to, inline);
    if (!empty && isSeq(node) && Array.isArray(from) && Array.isArray(to) && to.length > 0) return changeList(node, from, to, inline);
    replace(node, to, place);
    return true;
  }

  function changeMap(node: YAMLMap, from: Record<string, Value>, to: Record<string, Value>, inline: boolean): boolean {
    const pairs = node.items as Pair[];
    const indexOf = (key: string): number => pairs.findIndex((p) => isScalar(p.key) && String(p.key.value) === key);
    if (!Object.keys(from).every((key) => indexOf(key) !== -1)) return false;
    const gone = Object.keys(from)
      .filter((key) => !Object.hasOwn(to, key))
      .map(indexOf);
    let previous: number | undefined;
    for (const key of Object.keys(to).filter((k) => Object.hasOwn(from, k))) {
      const pair = pairs[indexOf(key)]!;
      const place: Place = inline ? { in: 'flow' } : { in: 'map', pair };
      if (isEqual(from[key], to[key])) continue;
      if (!isNode(pair.value)) splices.push(behindKey(pair, to[key], inline));
      else if (!change(pair.value, from[key], to[key], place)) return false;
    }
    remove(gone, pairs.length, inline, {
      start: (i) => pairStart(pairs[i]!),
      end: (i) => pairEnd(pairs[i]!, text),
    });
    const survivor = pairs.findIndex((_, i) => !gone.includes(i));
    for (const key of Object.keys(to)) {
      const at = Object.hasOwn(from, key) ? indexOf(key) : -1;
      if (at !== -1) {
        previous = at;
        continue;
      }
      const rendered = { [key]: to[key] };
      const column = columnOf(text, pairStart(pairs[survivor]!));
      const written = inline ? unwrapped(renderFlow(rendered, style)) : renderBlock(rendered, column, style);
      insert(written, column, inline, previous === undefined ? undefined : pairEnd(pairs[previous]!, text), pairStart(pairs[survivor]!));
    }
    return true;
  }

  function changeList(node: YAMLSeq, from: readonly Value[], to: readonly Value[], inline: boolean): boolean {
    const items = node.items as Node[];
    if (!items.every(isNode) || items.length !== from.length) return false;
    const start = (i: number): number => (inline ? items[i]!.range![0] : dashOf(node, i)!);
    const end = (i: number): number => contentEnd(items[i]!, text);
    if (!inline && items.some((_, i) => dashOf(node, i) === undefined)) return false;
    const steps = align(from, to);
    for (const step of steps) {
      const place: Place = inline ? { in: 'flow' } : { in: 'list' };
      if (step.kind === 'change' && !change(items[step.from]!, from[step.from], to[step.to], place)) return false;
    }
    const gone = steps.flatMap((s) => (s.kind === 'remove' ? [s.from] : []));
    remove(gone, items.length, inline, { start, end });
    const survivor = items.findIndex((_, i) => !gone.includes(i));
    if (survivor === -1) return false;
    let previous: number | undefined;
    for (const step of steps) {
      if (step.kind === 'keep' || step.kind === 'change') previous = step.from;
      if (step.kind !== 'add') continue;
      const column = columnOf(text, start(survivor));
      const written = inline ? renderFlow(to[step.to], style) : `- ${renderBlock(to[step.to], column + 2, style)}`;
      insert(written, column, inline, previous === undefined ? undefined : end(previous), start(survivor));
    }
    return true;
  }

  /** Behind `after` (the end of an item that stays), else before `before` (the start of the first that stays). */
  function insert(written: string, column: number, inline: boolean, after: number | undefined, before: number): void {
    const pad = ' '.repeat(column);
    if (after === undefined) splices.push(at(before, inline ? `${written}, ` : `${written}${style.lineBreak}${pad}`));
    else if (inline) splices.push(at(after, `, ${written}`));
    else splices.push(at(afterLines(text, after), `${style.lineBreak}${pad}${written}`));
  }

  function remove(gone: readonly number[], count: number, inline: boolean, item: Range): void {
    const sorted = [...gone].sort((a, b) => a - b);
    for (let k = 0; k < sorted.length; ) {
      const first = sorted[k]!;
      let last = first;
      while (sorted[++k] === last + 1) last++;
      if (!inline) splices.push(...deletedLines(text, first, last, count, item));
      else if (last + 1 < count) splices.push({ start: item.start(first), end: item.start(last + 1), text: '' });
      else splices.push({ start: item.end(first - 1), end: item.end(last), text: '' });
    }
  }

  function replace(node: Node, to: Value, place: Place): void {
    const start = node.range![0];
    const content = contentEnd(node, text);
    // A block scalar ends with its line break, which stays.
    const end = content > start && text[content - 1] === '\n' ? content - 1 : content;
    const collection = typeof to === 'object' && to !== null && Object.keys(to).length > 0;
    if (start === end && place.in === 'list') splices.push(at(start, apart(start, collection, to)));
    else if (place.in === 'flow') splices.push({ start, end, text: renderFlow(to, style) });
    else if (collection && place.in === 'map') {
      const from = pairEndOfKey(place.pair);
      splices.push({ start: from, end: start === end ? from : Math.max(end, from), text: blockBehindKey(place.pair, to) });
    } else if (collection) splices.push({ start, end, text: renderBlock(to, columnOf(text, start), style) });
    else if (start === end && place.in === 'map') splices.push(behindKey(place.pair, to, false));
    else {
      const quoting = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') ? node.type : 'PLAIN';
      // A block collection that becomes `{}`, or an alias that becomes a value, moves up behind its key.
      const moved = place.in === 'map' && !isAlias(node) && isCollection(node) && !node.flow;
      if (moved) splices.push({ start: pairEndOfKey(place.pair), end, text: ` ${renderFlow(to, style)}` });
      else splices.push({ start, end, text: renderScalar(to, quoting, style) });
    }
  }

  /** Behind a dash that nothing follows but maybe a comment. */
  function apart(start: number, block: boolean, to: Value): string {
    const written = block ? renderBlock(to, columnOf(text, lastDash(start)) + 2, style) : renderScalar(to, 'PLAIN', style);
    return `${text[start - 1] === '-' ? ' ' : ''}${written}`;
  }

  function lastDash(offset: number): number {
    return text.lastIndexOf('-', offset);
  }

  /** Behind a key's colon. */
  function pairEndOfKey(pair: Pair): number {
    return text.indexOf(':', (pair.key as Node).range![1]) + 1;
  }

  function behindKey(pair: Pair, to: Value, inline: boolean): Splice {
    const end = (pair.key as Node).range![1];
    const colon = text.slice(end).match(/^\s*:/);
    // `{ a }` has no colon.
    if (inline) return at(colon ? end + colon[0].length : end, `${colon ? '' : ':'} ${renderFlow(to, style)}`);
    return at(pairEndOfKey(pair), blockBehindKey(pair, to));
  }

  function blockBehindKey(pair: Pair, to: Value): string {
    return renderBlock({ k: to }, columnOf(text, pairStart(pair)), style).slice('k:'.length);
  }
}

const at = (offset: number, written: string): Splice => ({ start: offset, end: offset, text: written });

/** A `#` begins a comment only behind a space. */
function apartFromComment(text: string, splice: Splice): Splice {
  return splice.text !== '' && text[splice.end] === '#' ? { ...splice, text: `${splice.text} ` } : splice;
}

/** `a: b` of `{ a: b }`. */
function unwrapped(flow: string): string {
  return flow.slice(1, -1).trim();
}
