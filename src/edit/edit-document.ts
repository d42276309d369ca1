/**
 * Changes the value of a YAML document by changing as little of its text as possible: comments, quotes, blank lines and the layout of
 * everything that stays are left as they are. The result is read again: it is what was asked for, or nothing is changed.
 */
import { parseDocument as parseTree } from 'yaml';
import { parseDocument } from '../config/yaml/parse-document.ts';
import { isEqual, type Value } from './equal.ts';
import { reconcile } from './reconcile.ts';
import { applySplices } from './splice.ts';
import { styleOf } from './style.ts';

export type EditOutcome = { ok: true; text: string } | { ok: false; reason: string };

const BY_HAND = 'its anchors, aliases or merge keys cannot be changed without changing other places too: edit it by hand';

/**
 * @param text one document, with or without its `---` line
 * @param after what its value is to be; maps in the order in which new keys should stand
 */
export function editDocument(text: string, after: Value): EditOutcome {
  const before = parseDocument(text);
  if (!before.ok) return { ok: false, reason: before.failure.reason };
  if (isEqual(before.value, after)) return { ok: true, text };
  const tree = parseTree(text, { keepSourceTokens: true, version: '1.1', uniqueKeys: false, strict: false });
  if (tree.errors.length > 0 || tree.contents === null) return { ok: false, reason: tree.errors[0]?.message ?? 'the document is empty' };
  const splices = reconcile(text, tree.contents, before.value, after, styleOf(text, tree));
  const edited = splices && applySplices(text, splices);
  const read = edited === undefined ? undefined : parseDocument(edited);
  return read?.ok && isEqual(read.value, after) ? { ok: true, text: edited as string } : { ok: false, reason: BY_HAND };
}
