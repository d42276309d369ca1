import { type Document, isMap, isPair, isSeq, type Node, visit } from 'yaml';
import { columnOf, dashOf } from './nodes.ts';
import type { Style } from './render.ts';

/** How a document is written: what its first nested map, list and flow map show; Kubernetes' habits where it shows nothing. */
export function styleOf(text: string, document: Document.Parsed): Style {
  let indent: number | undefined;
  let indentLists: boolean | undefined;
  let padded: boolean | undefined;
  visit(document, {
    Pair(_, pair) {
      const { key, value } = pair as { key: Node; value: Node | null };
      if (!isPair(pair) || !key?.range || !value) return undefined;
      const column = columnOf(text, key.range[0]);
      if (isMap(value) && !value.flow && value.range) indent ??= positive(columnOf(text, value.range[0]) - column);
      const dash = isSeq(value) && !value.flow ? dashOf(value, 0) : undefined;
      if (dash !== undefined) indentLists ??= columnOf(text, dash) > column;
      return undefined;
    },
    Map(_, map) {
      if (map.flow && map.items.length > 0 && map.range) padded ??= /\s/.test(text[map.range[0] + 1] ?? '');
    },
  });
  const json = isMap(document.contents) && document.contents.flow === true && isJson(text);
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  return { json, indent: indent ?? 2, indentLists: indentLists ?? false, padded: padded ?? true, lineBreak };
}

/** JSON is YAML too: what is written into it must stay JSON. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const positive = (columns: number): number | undefined => (columns > 0 ? columns : undefined);
