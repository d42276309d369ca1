/**
 * re2js costs microseconds where the built-in engine costs nanoseconds. A pattern inside a small subset means the same
 * to both when the question is only "does the whole ASCII text match", and cannot backtrack for long; it is translated here.
 *
 * The subset: literals, escapes of punctuation, `.`, \d \w and their opposites, ASCII classes, groups and alternatives of
 * bounded pieces, `?`, and unbounded `*` or `+` on single characters only. Not more than one unbounded repeat may be
 * ambiguous (able to eat what follows it), and after an ambiguous one everything must be bounded unless it is the end:
 * so the work is linear in the text times a small constant.
 */
interface Atom {
  source: string;
  /** Which ASCII characters it takes; undefined for a group. */
  set: ((code: number) => boolean) | undefined;
  repeat: '' | '?' | '*' | '+';
}

const MAX_ALTERNATIVES = 64;
const MAX_OPTIONALS = 4;

/** A built-in RegExp for the whole text, or undefined when the pattern lies outside the subset. */
export function nativeFullMatch(pattern: string): RegExp | undefined {
  const parser = new Parser(pattern.replace(/^\^/, '').replace(/(?<!\\)((?:\\\\)*)\$$/, '$1'));
  const alternatives = parser.alternatives(0);
  if (alternatives === undefined || !parser.atEnd || parser.optionals > MAX_OPTIONALS) return undefined;
  if (!alternatives.every(isLinear)) return undefined;
  return new RegExp(`^(?:${alternatives.map((a) => a.map((atom) => atom.source + atom.repeat).join('')).join('|')})$`);
}

function isLinear(atoms: readonly Atom[]): boolean {
  let ambiguous = false;
  for (let i = 0; i < atoms.length; i++) {
    const atom = atoms[i]!;
    if (atom.repeat !== '*' && atom.repeat !== '+') continue;
    if (ambiguous) return false;
    if (i === atoms.length - 1) continue;
    const next = atoms[i + 1]!;
    if (next.set === undefined || next.repeat === '?' || next.repeat === '*' || overlaps(atom.set!, next.set)) ambiguous = true;
  }
  return true;
}

function overlaps(a: (code: number) => boolean, b: (code: number) => boolean): boolean {
  for (let code = 0; code < 128; code++) if (a(code) && b(code)) return true;
  return false;
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWord = (c: number): boolean => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const classes: Readonly<Record<string, (code: number) => boolean>> = {
  d: isDigit,
  D: (c) => !isDigit(c),
  w: isWord,
  W: (c) => !isWord(c),
};

class Parser {
  readonly #text: string;
  #at = 0;
  #count = 1;
  optionals = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  alternatives(depth: number): Atom[][] | undefined {
    const all: Atom[][] = [[]];
    while (!this.atEnd) {
      const c = this.#text[this.#at]!;
      if (c === ')') break;
      if (c === '|') {
        this.#at++;
        if (++this.#count > MAX_ALTERNATIVES) return undefined;
        all.push([]);
        continue;
      }
      const atom = this.#atom(c, depth);
      if (atom === undefined) return undefined;
      all.at(-1)!.push(atom);
    }
    return all;
  }

  #atom(c: string, depth: number): Atom | undefined {
    const atom = c === '(' ? this.#group(depth) : c === '[' ? this.#set() : this.#single(c);
    if (atom === undefined) return undefined;
    const next = this.#text[this.#at];
    if (next === '{') return undefined;
    if (next === '?' || next === '*' || next === '+') {
      if (next === '?') this.optionals++;
      else if (atom.set === undefined || depth > 0) return undefined;
      atom.repeat = next;
      this.#at++;
      const after = this.#text[this.#at];
      if (after === '?' || after === '*' || after === '+' || after === '{') return undefined;
    }
    return atom;
  }

  #group(depth: number): Atom | undefined {
    if (depth > 2) return undefined;
    this.#at++;
    if (this.#text.startsWith('?:', this.#at)) this.#at += 2;
    else if (this.#text[this.#at] === '?') return undefined;
    const inner = this.alternatives(depth + 1);
    if (inner === undefined || this.#text[this.#at] !== ')') return undefined;
    this.#at++;
    return { source: `(?:${inner.map((a) => a.map((x) => x.source + x.repeat).join('')).join('|')})`, set: undefined, repeat: '' };
  }

  #single(c: string): Atom | undefined {
    this.#at++;
    const code = c.charCodeAt(0);
    if (c === '.') return { source: '[^\\n]', set: (x) => x !== 10, repeat: '' };
    if (c === '\\') return this.#escape();
    if (code < 32 || code > 126 || '*+?{}[]()|^$'.includes(c)) return undefined;
    return literal(c);
  }

  #escape(): Atom | undefined {
    const c = this.#text[this.#at++];
    if (c === undefined) return undefined;
    const set = classes[c];
    if (set !== undefined) return { source: `\\${c}`, set, repeat: '' };
    return /[!-/:-@[-`{-~]/.test(c) ? literal(c) : undefined;
  }

  /** `[a-z0-9_.-]` and `[^/]`: plain ASCII members and ranges, no nested names. */
  #set(): Atom | undefined {
    const body = /^\[(\^?)((?:[^\]\\[]|\\[!-/:-@[-`{-~dw])+)\]/.exec(this.#text.slice(this.#at));
    if (body === null || !/^[ -~]*$/.test(body[2]!)) return undefined;
    const members: string[] = [];
    const kinds: ((code: number) => boolean)[] = [];
    const items = body[2]!.match(/\\?./g)!;
    let source = '';
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      if (item === '\\d' || item === '\\w') {
        if (items[i + 1] === '-') return undefined;
        kinds.push(classes[item[1]!]!);
        source += item;
        continue;
      }
      const low = item.at(-1)!;
      if (items[i + 1] === '-' && i + 2 < items.length) {
        const end = items[i + 2]!;
        const high = end.at(-1)!;
        if (end === '\\d' || end === '\\w' || high < low) return undefined;
        for (let code = low.charCodeAt(0); code <= high.charCodeAt(0); code++) members.push(String.fromCharCode(code));
        source += `${quote(low)}-${quote(high)}`;
        i += 2;
      } else {
        members.push(low);
        source += quote(low);
      }
    }
    this.#at += body[0].length;
    const negated = body[1] === '^';
    const set = (code: number): boolean => (members.includes(String.fromCharCode(code)) || kinds.some((k) => k(code))) !== negated;
    return { source: `[${body[1]}${source}]`, set, repeat: '' };
  }
}

function literal(c: string): Atom {
  const code = c.charCodeAt(0);
  return { source: quote(c), set: (x) => x === code, repeat: '' };
}

const quote = (c: string): string => (/[A-Za-z0-9_ ]/.test(c) ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
