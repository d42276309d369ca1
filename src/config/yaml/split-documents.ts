/** The half-open range of one document in its file's text, with its `---` line and directives. */
export interface DocumentRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a stream into documents at the lines that begin with `---` or `...`. Neither can occur at column 0 inside a scalar
 * (YAML 1.2 9.1.2, c-forbidden), so no parser is needed. Ranges without content (blank, comments only) are left out.
 */
export function splitDocuments(text: string): DocumentRange[] {
  const ranges: DocumentRange[] = [];
  let start = 0;
  /** The document that begins at `start` has had its `---`. */
  let started = false;
  const close = (end: number): void => {
    if (hasContent(text, start, end)) ranges.push({ start, end });
    start = end;
    started = false;
  };
  let dashes = nextMarker(text, '---', 0);
  let dots = nextMarker(text, '...', 0);
  while (dashes !== -1 || dots !== -1) {
    if (dots !== -1 && (dashes === -1 || dots < dashes)) {
      // `...` ends a document and stays with it; what follows on its line is an error that belongs there.
      close(endOfLine(text, dots));
      dots = nextMarker(text, '...', dots + 3);
    } else {
      // The first marker after directives is the one of their document.
      if (started || !isDirectives(text, start, dashes)) close(dashes);
      started = true;
      dashes = nextMarker(text, '---', dashes + 3);
    }
  }
  close(text.length);
  return ranges;
}

/** The next marker at the start of a line and followed by white space or the end; -1 without one. */
function nextMarker(text: string, marker: string, from: number): number {
  for (let at = text.indexOf(marker, from); at !== -1; at = text.indexOf(marker, at + 1)) {
    if ((at === 0 || isBreak(text.charCodeAt(at - 1))) && isWhite(text.charCodeAt(at + 3))) return at;
  }
  return -1;
}

const isBreak = (code: number): boolean => code === 10 || code === 13;
/** NaN is the end of the text. */
const isWhite = (code: number): boolean => code === 32 || code === 9 || isBreak(code) || Number.isNaN(code);

function endOfLine(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isBreak(text.charCodeAt(end))) end++;
  if (text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10) return end + 2;
  return Math.min(end + 1, text.length);
}

/** True when the first line that is neither blank nor a comment is a `%` directive: the `---` that follows is this document's own. */
function isDirectives(text: string, start: number, end: number): boolean {
  return firstContent(text, start, end) === 37;
}

function hasContent(text: string, start: number, end: number): boolean {
  const first = firstContent(text, start, end);
  if (first !== 45 && first !== 46) return first !== -1;
  // Only a marker, and nothing after it?
  let at = start;
  while (at < end && text.charCodeAt(at) !== first) at = text.charCodeAt(at) === 35 ? endOfLine(text, at) : at + 1;
  const marker = text.slice(at, at + 3);
  if ((marker !== '---' && marker !== '...') || !isWhite(text.charCodeAt(at + 3))) return true;
  const next = firstContent(text, at + 3, end);
  return next !== -1 && !(next === 46 && text.slice(at + 3, end).trim() === '...');
}

/** The first character that is neither white space nor in a comment; -1 without one. */
function firstContent(text: string, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const code = text.charCodeAt(at);
    if (code === 35) at = endOfLine(text, at);
    else if (isWhite(code)) at++;
    else return code;
  }
  return -1;
}
