import type { Hover, Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type Cursor, cursorAt, referenceAt } from '../cursor.ts';
import { describePlace } from '../names/describe-place.ts';
import { targetOf } from '../names/target.ts';
import { fieldDocs } from '../schema/field-docs.ts';
import { type Schema, schemaAt } from '../schema/schema-at.ts';
import type { View } from '../view.ts';

/** How many places of one name are described. */
const MOST_PLACES = 5;

/**
 * What is to be known of the field under the cursor; on a name also what it stands for. In Markdown, or without its marks for editors that show
 * plain text only.
 */
export function hover(
  document: TextDocument,
  position: Position,
  view: View,
  options: { namespace: string; markdown: boolean },
): Hover | undefined {
  const cursor = cursorAt(document, position);
  if (cursor?.kind === undefined) return undefined;
  const parts = [...describeName(cursor, view, options.namespace), ...describeField(cursor)];
  if (parts.length === 0) return undefined;
  const text = parts.join('\n\n---\n\n');
  const contents = options.markdown
    ? { kind: 'markdown' as const, value: text }
    : { kind: 'plaintext' as const, value: text.replaceAll(/\*\*|`|^_|_$/gm, '') };
  return { contents, range: cursor.range };
}

function describeName(cursor: Cursor, view: View, namespace: string): string[] {
  const reference = referenceAt(cursor, namespace);
  const target = reference === undefined ? undefined : targetOf(reference);
  if (target === undefined) return [];
  const places = view.index.declarations(target);
  const described = places.slice(0, MOST_PLACES).map((place) => describePlace(place));
  if (places.length > MOST_PLACES) described.push(`and ${places.length - MOST_PLACES} more`);
  return described.length === 0 ? [] : [described.join('\n\n')];
}

function describeField({ path, kind, located }: Cursor): string[] {
  if (kind === undefined) return [];
  if (path.length === 1 && path[0] === 'kind') return [`**${kind.kind}** — ${kind.group === '' ? 'core' : kind.group}`, kind.description];
  // An entry of a list is described by the field that holds the list.
  const named = path.findLastIndex((step) => typeof step === 'string');
  const at = path.slice(0, named + 1);
  const name = at.at(-1);
  if (typeof name !== 'string' || (located.on === 'key' && named !== path.length - 1)) return [];
  const schema: Schema | undefined = schemaAt(kind, at);
  return schema === undefined ? [] : [fieldDocs(name, schema, schemaAt(kind, at.slice(0, -1)))];
}
