import type { Position, Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { fullHost } from '../analysis/model/hosts.ts';
import type { Kind } from '../config/kinds/kind.ts';
import { findKind } from '../config/kinds/registry.ts';
import type { FieldPath } from '../config/resource.ts';
import { roleOf } from './names/reference-fields.ts';
import { hostTarget, nameTarget, type Reference, subsetTarget, type Target, targetOf } from './names/target.ts';
import { type Located, locate, type OutlinedObject, objectAt, outlineAt, textAt } from './outline/document.ts';

/** What a position in a text is on. */
export interface Cursor {
  readonly located: Located;
  readonly object: OutlinedObject;
  /** From the object's root. */
  readonly path: FieldPath;
  /** undefined where the object is of none that a mesh reads. */
  readonly kind: Kind | undefined;
  readonly range: Range;
}

/** What stands at `position`; undefined for white space, comments and the text of blocks. */
export function cursorAt(document: TextDocument, position: Position): Cursor | undefined {
  const offset = document.offsetAt(position);
  const outlined = outlineAt(document.getText(), offset);
  const located = outlined === undefined || offset > outlined.end ? undefined : locate(outlined.root, offset);
  if (outlined === undefined || located === undefined) return undefined;
  const object = objectAt(outlined.root, located.path);
  return {
    located,
    object,
    path: located.path.slice(object.prefix.length),
    kind: kindOf(object),
    range: { start: document.positionAt(located.start), end: document.positionAt(located.end) },
  };
}

/** The kind of an object by what it says. */
export function kindOf({ apiVersion, kind }: Pick<OutlinedObject, 'apiVersion' | 'kind'>): Kind | undefined {
  return apiVersion === undefined || kind === undefined ? undefined : findKind(apiVersion, kind);
}

/** The namespace that names in an object belong to. */
export function namespaceOf(object: OutlinedObject, kind: Kind | undefined, fallback: string): string {
  return kind?.scope === 'Cluster' ? '' : (object.namespace ?? fallback);
}

/** The reference that the cursor is on. */
export function referenceAt({ located, object, path, kind }: Cursor, fallback: string): Reference | undefined {
  if (kind === undefined || located.on !== 'value') return undefined;
  const role = roleOf(kind.group, kind.kind, path);
  if (role === undefined) return undefined;
  const namespace = namespaceOf(object, kind, fallback);
  return { role, value: located.text, path, namespace, textAt: (at) => textAt(object.root, at) };
}

/** What the cursor names or declares: both ends of a reference have the same target. */
export function targetAt(cursor: Cursor, fallback: string): Target | undefined {
  const reference = referenceAt(cursor, fallback);
  if (reference !== undefined) return targetOf(reference);
  const { located, object, path, kind } = cursor;
  if (kind === undefined || located.on !== 'value') return undefined;
  const namespace = namespaceOf(object, kind, fallback);
  const where = path.map((step) => (typeof step === 'number' ? '[]' : step)).join('.');
  const named = `${kind.group}/${kind.kind}`;
  if (where === 'metadata.name') return nameTarget(named, namespace, located.text);
  if (named === 'networking.istio.io/ServiceEntry' && where === 'spec.hosts.[]') return hostTarget(namespace, located.text);
  const host = textAt(object.root, ['spec', 'host']);
  if (named === 'networking.istio.io/DestinationRule' && where === 'spec.subsets.[].name' && host !== undefined)
    return subsetTarget(fullHost(namespace, host), located.text);
  return undefined;
}
