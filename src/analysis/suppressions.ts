/** Findings that somebody has said not to show: by flag, by annotation, by comment. */
import type { Resource } from '../config/resource.ts';
import type { TextFile } from '../config/text-file.ts';
import { splitDocuments } from '../config/yaml/split-documents.ts';

/** Istio's annotation: codes separated by commas, `*` for all. */
export const SUPPRESS_ANNOTATION = 'galley.istio.io/analyze-suppress';

/** `CODE=KIND NAMESPACE/NAME`, with `*` for any text. */
export interface FlagSuppression {
  readonly written: string;
  readonly code: string;
  matches(kind: string, namespace: string, name: string): boolean;
}

/** Reads a flag as istioctl writes it, `KIND NAME.NAMESPACE` too; undefined when it has no `=`. */
export function parseSuppression(written: string): FlagSuppression | undefined {
  const equals = written.indexOf('=');
  if (equals <= 0 || equals === written.length - 1) return undefined;
  const pattern = written.slice(equals + 1).trim();
  const glob = new RegExp(
    `^${pattern
      .split('*')
      .map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('[^]*')}$`,
  );
  return {
    written,
    code: written.slice(0, equals).trim().toUpperCase(),
    matches: (kind, namespace, name) =>
      (namespace === '' ? [`${kind} ${name}`] : [`${kind} ${namespace}/${name}`, `${kind} ${name}.${namespace}`]).some((text) =>
        glob.test(text),
      ),
  };
}

/** The codes that an object's annotation suppresses. */
export function annotatedCodes(resource: Resource): string[] {
  const value: unknown = resource.metadata.annotations[SUPPRESS_ANNOTATION];
  return typeof value === 'string'
    ? value
        .split(',')
        .map((code) => code.trim().toUpperCase())
        .filter((code) => code !== '')
    : [];
}

/** A comment `# fairlead:ignore CODE[, CODE] why`, and the lines that it is for. */
export interface CommentSuppression {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly codes: readonly string[];
  /** Lines, both included. */
  readonly from: number;
  readonly to: number;
}

const MARK = 'fairlead:ignore';
const COMMENT = /(^|\s)#\s*fairlead:ignore\s+([A-Za-z]+\d+(?:\s*,\s*[A-Za-z]+\d+)*|\*)/;

/**
 * All such comments of a file. At the end of a line: for that line. On a line of its own: for the next line and what is indented below
 * it; before the first line of a document: for the whole document.
 */
export function commentSuppressions(file: TextFile): CommentSuppression[] {
  if (!file.text.includes(MARK)) return [];
  const lines = file.text.split(/\r\n|\n|\r/);
  const documents = splitDocuments(file.text).map(({ start, end }) => ({
    from: file.positionAt(start).line,
    to: file.positionAt(Math.max(start, end - 1)).line,
  }));
  return lines.flatMap((text, i) => {
    const found = COMMENT.exec(text);
    if (found === null) return [];
    const codes = found[2]!.split(',').map((code) => code.trim().toUpperCase());
    const place = { file: file.name, line: i + 1, column: found.index + found[1]!.length + 1, codes };
    if (text.slice(0, found.index).trim() !== '') return [{ ...place, from: i + 1, to: i + 1 }];
    return [{ ...place, ...linesBelow(lines, i, documents) }];
  });
}

const isBlank = (text: string): boolean => /^\s*(?:#.*)?$/.test(text);
const indentOf = (text: string): number => text.length - text.trimStart().length;

function linesBelow(
  lines: readonly string[],
  comment: number,
  documents: readonly { from: number; to: number }[],
): { from: number; to: number } {
  let next = comment + 1;
  while (next < lines.length && isBlank(lines[next]!)) next++;
  if (next >= lines.length) return { from: comment + 1, to: comment + 1 };
  const line = next + 1;
  const document = documents.find(({ from, to }) => from <= line && line <= to);
  if (/^---(?:\s|$)/.test(lines[next]!)) return document ?? { from: line, to: line };
  const isFirst =
    document !== undefined && lines.slice(document.from - 1, next).every((text) => isBlank(text) || /^---(?:\s|$)/.test(text));
  if (isFirst) return document;
  let end = next;
  while (end + 1 < lines.length && (isBlank(lines[end + 1]!) || indentOf(lines[end + 1]!) > indentOf(lines[next]!))) end++;
  return { from: line, to: end + 1 };
}
