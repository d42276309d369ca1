import type { Location, Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { cursorAt, targetAt } from '../cursor.ts';
import { locationOf, type View } from '../view.ts';

/** Where the name under the cursor is declared: Service, ServiceEntry, subset, Gateway, VirtualService, Secret, Namespace. */
export function findDefinitions(document: TextDocument, position: Position, view: View, namespace: string): Location[] {
  const cursor = cursorAt(document, position);
  const target = cursor === undefined ? undefined : targetAt(cursor, namespace);
  return target === undefined ? [] : view.index.declarations(target).map(({ resource, at }) => locationOf(view, resource, at));
}

/** Where what the cursor names or declares is named. */
export function findReferences(
  document: TextDocument,
  position: Position,
  view: View,
  options: { namespace: string; includeDeclaration: boolean },
): Location[] {
  const cursor = cursorAt(document, position);
  const target = cursor === undefined ? undefined : targetAt(cursor, options.namespace);
  if (target === undefined) return [];
  const declared = options.includeDeclaration ? view.index.declarations(target) : [];
  return [...declared, ...view.index.references(target)].map(({ resource, at }) => locationOf(view, resource, at));
}
