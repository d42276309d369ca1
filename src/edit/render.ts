/** New pieces of YAML in the style of the text around them. */
import { Document, type ToStringOptions, visit } from 'yaml';
import type { Value } from './equal.ts';

/** How a document is written, as far as new pieces must follow. */
export interface Style {
  /** The document is JSON. */
  json: boolean;
  /** Columns that a nested map stands further in. */
  indent: number;
  /** Whether the dashes of a list stand further in than its key. */
  indentLists: boolean;
  /** Whether flow maps have a space inside their braces. */
  padded: boolean;
  /** `\n` or `\r\n`. */
  lineBreak: string;
}

/** Block style, without a line break at the end; lines after the first are indented by `column`. */
export function renderBlock(value: Value, column: number, style: Style): string {
  const text = render(value, { indent: style.indent, indentSeq: style.indentLists });
  return text.replaceAll('\n', `${style.lineBreak}${' '.repeat(column)}`);
}

/** One line, for places inside `{}` and `[]`. */
export function renderFlow(value: Value, style: Style): string {
  if (style.json) return JSON.stringify(value);
  const text = render(value, { collectionStyle: 'flow', flowCollectionPadding: style.padded });
  // Long collections are broken into lines.
  return text.replaceAll(/\n\s*/g, ' ');
}

/** A scalar that takes the place of another one, quoted as that one was. */
export function renderScalar(value: Value, quoting: 'QUOTE_DOUBLE' | 'QUOTE_SINGLE' | 'PLAIN', style: Style): string {
  if (style.json) return JSON.stringify(value);
  return render(value, { defaultStringType: quoting });
}

/** A document of its own, with a line break at its end and lists as Kubernetes' tools write them. */
export function renderDocument(value: Value): string {
  return `${render(value, { indent: 2, indentSeq: false })}\n`;
}

/** YAML 1.1, as Kubernetes reads it: `yes`, `on` and `0777` must be quoted to stay strings. Each scalar stands on one line. */
function render(value: Value, options: ToStringOptions): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && scalar.value.includes('\n')) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: 1e9, blockQuote: false, ...options });
  return text.replace(/\n$/, '');
}
