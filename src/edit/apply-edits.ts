import type { FieldPath, Resource } from '../config/resource.ts';
import { createDraft, type FileChange } from './draft.ts';
import type { Value } from './equal.ts';
import { renameKeys } from './rename-key.ts';

/** One field to set (undefined takes it out), or whose key is to be written in another way. */
export type FieldEdit = { readonly resource: Resource; readonly path: FieldPath } & ({ readonly value: Value } | { readonly key: string });

/** The changes of files that edits make. They either all set fields or all rename keys. Throws FairleadError E_EDIT_REFUSED. */
export function applyEdits(edits: readonly FieldEdit[]): FileChange[] {
  const keys = edits.flatMap((edit) => ('key' in edit ? [edit] : []));
  if (keys.length > 0) return renameKeys(keys);
  const draft = createDraft();
  for (const edit of edits) if ('value' in edit) draft.set(edit.resource, edit.path, edit.value);
  return draft.changes();
}
