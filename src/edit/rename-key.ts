import { DocumentSource } from '../config/document-source.ts';
import { type FieldPath, originOf, type Resource } from '../config/resource.ts';
import { resolveScalar, STRING } from '../config/yaml/resolve-scalar.ts';
import { FairleadError } from '../errors.ts';
import type { FileChange } from './draft.ts';

/** A key that is to be written in another way: only its own characters change. */
export interface KeyChange {
  readonly resource: Resource;
  readonly path: FieldPath;
  readonly key: string;
}

/** The texts with keys renamed in place. Throws FairleadError E_EDIT_REFUSED for what does not come from a file. */
export function renameKeys(changes: readonly KeyChange[]): FileChange[] {
  const files = new Map<string, { before: string; splices: Map<number, { end: number; text: string }> }>();
  for (const { resource, path, key } of changes) {
    const { source } = resource;
    const refuse = (why: string): FairleadError =>
      new FairleadError('E_EDIT_REFUSED', `${originOf(resource)} cannot be changed: ${why}`, { position: source.keyPositionOf(path) });
    if (!(source instanceof DocumentSource) || source.file === '-') throw refuse(`it does not come from a file: ${source.file}`);
    const { file } = source.written;
    const { line, column } = source.keyPositionOf(path);
    const start = offsetOf(file.text, line) + column - 1;
    const written = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[\w./-]+)(?=\s*:)/.exec(file.text.slice(start, start + 1000))?.[0];
    if (written === undefined) throw refuse(`the key ${String(path.at(-1))} is written in a way that only a person can change`);
    const known = files.get(file.name) ?? { before: file.text, splices: new Map() };
    known.splices.set(start, { end: start + written.length, text: keyText(key) });
    files.set(file.name, known);
  }
  return [...files].map(([file, { before, splices }]) => {
    let after = before;
    for (const [start, { end, text }] of [...splices].sort(([a], [b]) => b - a)) after = after.slice(0, start) + text + after.slice(end);
    return { file, before, after };
  });
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_][\w./-]*$/.test(key) && resolveScalar(key) === STRING ? key : JSON.stringify(key);
}

/** Where a line, 1-based, begins. */
function offsetOf(text: string, line: number): number {
  const breaks = /\r\n|\n|\r/g;
  for (let i = 1; i < line; i++) breaks.exec(text);
  return breaks.lastIndex;
}
