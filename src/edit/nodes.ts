/** Places in a document's text, by the nodes that the yaml package found there. */
import { isMap, isNode, isPair, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { lineStart } from './splice.ts';

export type Collection = YAMLMap<unknown, unknown> | YAMLSeq<unknown>;

const asNode = (value: unknown): Node | undefined => (isNode(value) ? value : undefined);

/** Where a node's own text ends: without the comments and blank lines behind it. A block scalar's text ends with its line break. */
export function contentEnd(node: Node, text: string): number {
  const block = (isMap(node) || isSeq(node)) && !node.flow;
  const last = block ? node.items.at(-1) : undefined;
  if (last === undefined) return node.range![1];
  return isPair(last) ? pairEnd(last as Pair, text) : contentEnd(last as Node, text);
}

/** Where a `key: value` pair's own text ends. An empty value's place is behind the colon, whatever comments follow. */
export function pairEnd(pair: Pair, text: string): number {
  const value = asNode(pair.value);
  const end = asNode(pair.key)!.range![1];
  const empty = value === undefined || (isScalar(value) && value.range![0] === value.range![1]);
  if (!empty) return contentEnd(value, text);
  const colon = /^\s*:/.exec(text.slice(end, end + 100));
  return end + (colon?.[0].length ?? 0);
}

/** Where a pair begins: at its key. */
export function pairStart(pair: Pair): number {
  const key = asNode(pair.key)!;
  return propertiesStart(key);
}

/** Where a node begins with its tag and anchor: `&a !!str x`. */
function propertiesStart(node: Node): number {
  const token = node.srcToken;
  return token && 'offset' in token ? Math.min(token.offset, node.range![0]) : node.range![0];
}

/** Offset of the dash of a block list's item. */
export function dashOf(seq: YAMLSeq<unknown>, index: number): number | undefined {
  const token = seq.srcToken;
  if (token?.type !== 'block-seq') return undefined;
  const dashes = token.items.flatMap((item) => item.start.filter((t) => t.type === 'seq-item-ind'));
  return dashes[index]?.offset;
}

/** Columns before an offset on its line. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}
