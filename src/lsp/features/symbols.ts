import { type DocumentSymbol, type SymbolInformation, SymbolKind } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { originOf } from '../../config/resource.ts';
import { nodeAt, objectAt, outlineDocuments, textAt } from '../outline/document.ts';
import type { OutlineList, OutlineNode } from '../outline/outline.ts';
import { locationOf, type View } from '../view.ts';

/** Lists whose entries are worth a line in an outline, and what their entries are called by. */
const PARTS: readonly (readonly [string, SymbolKind])[] = [
  ['http', SymbolKind.Method],
  ['tls', SymbolKind.Method],
  ['tcp', SymbolKind.Method],
  ['subsets', SymbolKind.EnumMember],
  ['servers', SymbolKind.Interface],
  ['ports', SymbolKind.Interface],
  ['rules', SymbolKind.Method],
];

/** The objects of a document, with their routes, subsets, servers and rules. */
export function documentSymbols(document: TextDocument): DocumentSymbol[] {
  const text = document.getText();
  return outlineDocuments(text).flatMap(({ root }) => {
    const items = (textAt(root, ['kind']) ?? '').endsWith('List') ? nodeAt(root, ['items']) : undefined;
    if (items?.type === 'list') return items.items.flatMap((item, i) => objectSymbol(document, root, item.value, ['items', i]));
    return objectSymbol(document, root, root, []);
  });
}

function objectSymbol(
  document: TextDocument,
  root: OutlineNode | undefined,
  node: OutlineNode | undefined,
  path: readonly (string | number)[],
): DocumentSymbol[] {
  const { kind, name, namespace } = objectAt(root, path);
  if (node === undefined || kind === undefined || kind === '') return [];
  const spec = nodeAt(node, ['spec']);
  const parts = PARTS.flatMap(([field, symbol]) => {
    const list = nodeAt(spec, [field]);
    return list?.type === 'list' ? listSymbols(document, list, field, symbol) : [];
  });
  const range = rangeOf(document, node.start, node.end);
  const label = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name ?? ''}`.trim();
  const nameNode = nodeAt(node, ['metadata', 'name']);
  const selection = nameNode === undefined || nameNode.end > node.end ? { start: range.start, end: range.start } : undefined;
  return [
    {
      name: label,
      kind: SymbolKind.Class,
      range,
      selectionRange: selection ?? rangeOf(document, nameNode!.start, nameNode!.end),
      children: parts,
    },
  ];
}

function listSymbols(document: TextDocument, list: OutlineList, field: string, kind: SymbolKind): DocumentSymbol[] {
  return list.items.flatMap(({ start, value }, i) => {
    if (value === undefined) return [];
    const called = textAt(value, ['name']) ?? textAt(value, ['port', 'name']);
    const range = rangeOf(document, start, Math.max(value.end, start));
    return [{ name: called === undefined || called === '' ? `${field}[${i}]` : `${field} ${called}`, kind, range, selectionRange: range }];
  });
}

const rangeOf = (document: TextDocument, start: number, end: number) => ({
  start: document.positionAt(start),
  end: document.positionAt(end),
});

/** Shown at once. */
const MOST_SYMBOLS = 500;

/** Objects of a configuration whose kind and name hold all the letters of `query` in order. */
export function workspaceSymbols(view: View, query: string): SymbolInformation[] {
  const letters = query.toLowerCase().replace(/\s/g, '');
  const found: SymbolInformation[] = [];
  for (const resource of view.index.resources) {
    if (resource.metadata.name === '' || !holds(originOf(resource).toLowerCase(), letters)) continue;
    found.push({
      name: originOf(resource),
      kind: SymbolKind.Class,
      location: locationOf(view, resource, ['metadata', 'name']),
      containerName: resource.metadata.namespace,
    });
    if (found.length >= MOST_SYMBOLS) break;
  }
  return found;
}

function holds(text: string, letters: string): boolean {
  let at = 0;
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
