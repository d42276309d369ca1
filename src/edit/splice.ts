/** One replacement in a text: `[start, end)` becomes `text`. Offsets count UTF-16 units. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Applies splices. Deletions do not overlap; what is put in at one place keeps its order, and what would be put in amid deleted lines comes
 * behind the last line before them.
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const deletions = splices.filter((s) => s.text === '' && s.end > s.start);
  const moved = splices.map((s) => (s.start === s.end ? outOf(text, s, deletions) : s));
  let out = '';
  let at = 0;
  for (const splice of moved.sort((a, b) => a.start - b.start || a.end - b.end)) {
    out += text.slice(at, splice.start) + splice.text;
    at = splice.end;
  }
  return out + text.slice(at);
}

function outOf(text: string, splice: Splice, deletions: readonly Splice[]): Splice {
  let at = splice.start;
  for (let inside = true; inside; ) {
    const deletion = deletions.find((d) => d.start < at && at < d.end);
    inside = deletion !== undefined;
    if (deletion === undefined) break;
    const { start } = deletion;
    at = start > 0 && text[start - 1] === '\n' ? lineEnd(text, lineStart(text, start - 1)) : start;
  }
  return { start: at, end: at, text: splice.text };
}

/** The start of the line that holds `offset`. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The end of the line that holds `offset`, before its line break (`\r` included in the break). */
export function lineEnd(text: string, offset: number): number {
  const found = text.indexOf('\n', offset);
  const end = found === -1 ? text.length : found;
  return end > offset && text[end - 1] === '\r' ? end - 1 : end;
}

/** The start of the next line, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const found = text.indexOf('\n', offset);
  return found === -1 ? text.length : found + 1;
}
