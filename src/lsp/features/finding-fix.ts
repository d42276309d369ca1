import type { TextEdit } from 'vscode-languageserver';
import type { Fix } from '../../analysis/finding.ts';
import type { TextFile } from '../../config/text-file.ts';
import { commonEnds } from '../../config/yaml/common-ends.ts';
import { applyEdits } from '../../edit/apply-edits.ts';
import type { View } from '../view.ts';

/**
 * The edits of a fix by URI, comments and layout kept; undefined when it cannot be made without touching more, or a text is no longer the
 * one that it was made for.
 */
export function fixEdits(fix: Fix, view: View): Record<string, TextEdit[]> | undefined {
  try {
    const changes: Record<string, TextEdit[]> = {};
    for (const { file, before, after } of applyEdits(fix.edits)) {
      const text = view.textOf(file);
      if (text === undefined || text.text !== before || after === undefined) return undefined;
      changes[view.uriOf(file)] = [editBetween(text, after)];
    }
    return changes;
  } catch {
    // Anchors and the like: a person has to.
    return undefined;
  }
}

/** One edit that makes a text into another: what is between their common start and end, between whole characters and line breaks. */
function editBetween(text: TextFile, after: string): TextEdit {
  const before = text.text;
  const common = commonEnds(before, after);
  let { start } = common;
  while (isInside(before, start) || isInside(after, start)) start--;
  let shared = common.end;
  while (shared > 0 && (isInside(before, before.length - shared) || isInside(after, after.length - shared))) shared--;
  const at = (offset: number) => {
    const { line, column } = text.positionAt(offset);
    return { line: line - 1, character: column - 1 };
  };
  return { range: { start: at(start), end: at(before.length - shared) }, newText: after.slice(start, after.length - shared) };
}

/** Whether `offset` is between the halves of a surrogate pair or of CR LF: editors take no such place. */
function isInside(text: string, offset: number): boolean {
  const [before, after] = [text.charCodeAt(offset - 1), text.charCodeAt(offset)];
  return (before === 13 && after === 10) || (before >> 10 === 0x36 && after >> 10 === 0x37);
}
