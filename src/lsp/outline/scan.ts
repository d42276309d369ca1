/** Small readers of YAML's notation. All take time linear in what they pass over, and never go beyond `end`. */

const isBlank = (code: number): boolean => code === 32 || code === 9;
const isBreak = (code: number): boolean => code === 10 || code === 13;

/** The start of the line behind the one that `at` is on. */
export function endOfLine(text: string, at: number, end: number): number {
  let i = at;
  while (i < end && !isBreak(text.charCodeAt(i))) i++;
  if (text.charCodeAt(i) === 13 && i + 1 < end && text.charCodeAt(i + 1) === 10) return i + 2;
  return Math.min(i + 1, end);
}

/** Past blanks, and past anchors (`&name`) and tags (`!tag`) on the same line. */
export function skipProperties(text: string, from: number, end: number): number {
  let at = from;
  for (;;) {
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    const code = text.charCodeAt(at);
    if (at >= end || (code !== 38 && code !== 33)) return at;
    while (at < end && !isBlank(text.charCodeAt(at)) && !isBreak(text.charCodeAt(at))) at++;
  }
}

/** A quoted text that begins at `from`. One that is not closed ends with its line: the quote is about to be typed. */
export function readQuoted(text: string, from: number, end: number): { text: string; end: number } {
  const quote = text.charCodeAt(from);
  let firstBreak = -1;
  for (let at = from + 1; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 92 && quote === 34) at++;
    else if (code === quote) {
      if (quote === 39 && text.charCodeAt(at + 1) === 39) at++;
      else return { text: plainText(text.slice(from + 1, at), quote), end: at + 1 };
    } else if (isBreak(code)) {
      firstBreak = firstBreak === -1 ? at : firstBreak;
      // A text of several lines is rare, a quote that is still open is not: a line that looks like an entry decides.
      if (LOOKS_LIKE_ENTRY.test(text.slice(at + 1, Math.min(end, at + 200)))) break;
    }
  }
  const stop = firstBreak === -1 ? end : firstBreak;
  return { text: text.slice(from + 1, stop), end: stop };
}

const LOOKS_LIKE_ENTRY = /^\n?[ \t]*(?:- |- *[\r\n]|[A-Za-z][\w.-]*:(?:[ \r\n]|$)|---)/;

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', '/': '/', ' ': ' ' };

function plainText(text: string, quote: number): string {
  if (quote === 39) return text.includes("''") ? text.replaceAll("''", "'") : text;
  return text.includes('\\')
    ? text.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|([^xu]))/g, (all, x?: string, u?: string, c?: string) =>
        x !== undefined || u !== undefined ? String.fromCharCode(Number.parseInt((x ?? u)!, 16)) : (ESCAPES[c!] ?? all),
      )
    : text;
}

/** Where a plain text that begins at `from` ends on its line: before a comment and trailing blanks. */
export function endOfPlain(text: string, from: number, end: number, flow = false): number {
  let at = from;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (isBreak(code)) break;
    if (code === 35 && at > from && isBlank(text.charCodeAt(at - 1))) break;
    if (flow && (code === 44 || code === 93 || code === 125 || code === 91 || code === 123)) break;
    if (flow && code === 58 && at > from && endsFlowKey(text, at + 1, end)) break;
  }
  while (at > from && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** YAML 1.2 7.3.3: a colon ends a plain key in a flow when white space or a flow indicator follows. */
function endsFlowKey(text: string, at: number, end: number): boolean {
  if (at >= end) return true;
  const code = text.charCodeAt(at);
  return isBlank(code) || isBreak(code) || code === 44 || code === 93 || code === 125;
}

/** The key that begins at `from` and its colon; undefined when what stands on the line is no key. */
export function findColon(text: string, from: number, end: number): { key: string; keyEnd: number; colon: number } | undefined {
  const first = text.charCodeAt(from);
  if (first === 34 || first === 39) {
    const quoted = readQuoted(text, from, end);
    let at = quoted.end;
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    return text.charCodeAt(at) === 58 && isEndOfKey(text, at + 1, end) ? { key: quoted.text, keyEnd: quoted.end, colon: at } : undefined;
  }
  if (first === 123 || first === 91 || first === 124 || first === 62) return undefined;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (isBreak(code) || (code === 35 && at > from && isBlank(text.charCodeAt(at - 1)))) return undefined;
    if (code !== 58 || !isEndOfKey(text, at + 1, end)) continue;
    let keyEnd = at;
    while (keyEnd > from && isBlank(text.charCodeAt(keyEnd - 1))) keyEnd--;
    return { key: text.slice(from, keyEnd), keyEnd, colon: at };
  }
  return undefined;
}

function isEndOfKey(text: string, at: number, end: number): boolean {
  return at >= end || isBlank(text.charCodeAt(at)) || isBreak(text.charCodeAt(at));
}
