import type { Location, Range } from 'vscode-languageserver';
import type { FieldPath, Position, Resource } from '../config/resource.ts';
import type { TextFile } from '../config/text-file.ts';
import type { MeshIndex } from './names/mesh-index.ts';

/** What requests look at: one configuration as it was read last. */
export interface View {
  readonly index: MeshIndex;
  /** The text that positions in `file` are of; undefined when it was not read. */
  textOf(file: string): TextFile | undefined;
  uriOf(file: string): string;
}

/** The range of the word, key or quoted text that stands at a position (1-based), in the protocol's units: 0-based lines, UTF-16 columns. */
export function rangeAt(view: Pick<View, 'textOf'>, { file, line, column }: Position): Range {
  const text = view.textOf(file)?.line(line) ?? '';
  const from = Math.min(column - 1, text.length);
  return { start: { line: line - 1, character: from }, end: { line: line - 1, character: from + tokenLength(text.slice(from)) } };
}

/** Where a field stands. */
export function locationOf(view: View, resource: Resource, at: FieldPath): Location {
  const position = resource.source.positionOf(at);
  return { uri: view.uriOf(position.file), range: rangeAt(view, position) };
}

/** The length of what stands at the start of `text`: a quoted text, a key, or a plain value up to a comment or the bracket that closes it. */
function tokenLength(text: string): number {
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(text);
  if (quoted !== null) return quoted[0].length;
  const key = /^[^\s:#,{}[\]][^:#,{}[\]]*?(?=\s*:(?:\s|$))/.exec(text);
  if (key !== null) return key[0].length;
  let depth = 0;
  let end = 0;
  for (; end < text.length; end++) {
    const c = text[end]!;
    if (c === '#' && end > 0 && /\s/.test(text[end - 1]!)) break;
    if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth < 0) break;
    else if (c === ',' && depth === 0 && /\s/.test(text[end + 1] ?? ' ')) break;
  }
  return text.slice(0, end).trimEnd().length;
}
