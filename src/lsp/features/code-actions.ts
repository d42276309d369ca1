import { type CodeAction, CodeActionKind, type Diagnostic, type TextEdit, type WorkspaceEdit } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { outlineAt } from '../outline/document.ts';
import type { OutlineNode } from '../outline/outline.ts';
import type { DiagnosticData } from './diagnostics.ts';

/** What the analysis knows to do about a finding, by its fingerprint; undefined when a person has to decide. */
export type FixOf = (fingerprint: string) => Promise<{ title: string; changes: Record<string, TextEdit[]> } | undefined>;

/** Fixes of diagnostics, and comments that hide them. */
export async function codeActions(document: TextDocument, diagnostics: readonly Diagnostic[], fixOf: FixOf): Promise<CodeAction[]> {
  const actions: CodeAction[] = [];
  for (const diagnostic of diagnostics) {
    if (diagnostic.source !== 'fairlead' || typeof diagnostic.code !== 'string') continue;
    const add = (title: string, changes: NonNullable<WorkspaceEdit['changes']>, isPreferred: boolean): void => {
      actions.push({ title, kind: CodeActionKind.QuickFix, diagnostics: [diagnostic], isPreferred, edit: { changes } });
    };
    const { fingerprint } = (diagnostic.data ?? {}) as Partial<DiagnosticData>;
    const fix = typeof fingerprint === 'string' ? await fixOf(fingerprint) : undefined;
    if (fix !== undefined) add(fix.title, fix.changes, true);
    const meant = fix === undefined ? meantName(document, diagnostic) : undefined;
    if (meant !== undefined) add(`Change to ${meant.newText}`, { [document.uri]: [meant] }, true);
    const ignored = ignore(document, diagnostic);
    if (ignored !== undefined) add(`Ignore ${diagnostic.code} here`, { [document.uri]: [ignored] }, false);
  }
  return actions;
}

/** The name that a hint says was probably meant, for keys and values that are one word. */
function meantName(document: TextDocument, { range, data }: Diagnostic): TextEdit | undefined {
  const hint = (data as Partial<DiagnosticData> | undefined)?.hint;
  const meant = typeof hint === 'string' ? /^Did you mean `([\w.-]+)`\?/.exec(hint)?.[1] : undefined;
  const written = document.getText(range);
  if (meant === undefined || !/^["']?[\w.-]+["']?$/.test(written)) return undefined;
  return { range, newText: written.replace(/[\w.-]+/, meant) };
}

const COMMENT = /^([ \t]*#[ \t]*fairlead:ignore[ \t]+[A-Za-z]+\d+(?:[ \t]*,[ \t]*[A-Za-z]+\d+)*)/;

/** A comment that hides a finding, on a line of its own before the one it is about; or its code in the comment that is there already. */
function ignore(document: TextDocument, { range, code }: Diagnostic): TextEdit | undefined {
  // What could not be parsed is not hidden by what stands in it.
  if (code === 'FL0001' || code === 'FL0005') return undefined;
  const line = lineForComment(document, range.start.line);
  const text = lineText(document, line);
  const before = line === 0 ? '' : lineText(document, line - 1);
  const comment = COMMENT.exec(before)?.[1];
  if (comment !== undefined) {
    const at = { line: line - 1, character: comment.length };
    return { range: { start: at, end: at }, newText: `, ${code}` };
  }
  const at = { line, character: 0 };
  const eol = document.getText().includes('\r\n') ? '\r\n' : '\n';
  return { range: { start: at, end: at }, newText: `${/^[ \t]*/.exec(text)![0]}# fairlead:ignore ${code}${eol}` };
}

/** The nearest line at or above `line` that begins neither inside the text of a block or quotes nor inside brackets: there a comment is one. */
function lineForComment(document: TextDocument, line: number): number {
  const offset = document.offsetAt({ line, character: 0 });
  const inside = startOfSpan(outlineAt(document.getText(), offset)?.root, offset);
  return inside === undefined ? line : document.positionAt(inside).line;
}

/** The start of the scalar or bracket that `offset` is inside of. */
function startOfSpan(node: OutlineNode | undefined, offset: number): number | undefined {
  if (node === undefined || offset <= node.start || offset >= node.end) return undefined;
  if (node.type === 'scalar') return node.start;
  if (node.flow) return node.start;
  const values = node.type === 'list' ? node.items : node.entries;
  for (const { value } of values) {
    const found = startOfSpan(value, offset);
    if (found !== undefined) return found;
  }
  return undefined;
}

function lineText(document: TextDocument, line: number): string {
  return document.getText({ start: { line, character: 0 }, end: { line: line + 1, character: 0 } }).replace(/[\r\n]+$/, '');
}
