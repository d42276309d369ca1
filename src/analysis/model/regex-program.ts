import { re2 } from '../../re2.ts';

/** What is known of an RE2 expression from the program it compiles to. */
export interface RegexProgram {
  /** Instructions: Envoy's "program size", as near as another implementation of RE2 can say. */
  readonly size: number;
  /** Whether some text without the characters of `never`, beginning with `first` when that is given, matches as a whole. */
  canMatch(options?: { first?: string; never?: string }): boolean;
}

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: ArrayLike<number>;
}

/** Operations of RE2's programs, in the order of Go's regexp/syntax. */
const [ALT, ALT_MATCH, CAPTURE, EMPTY_WIDTH, FAIL, MATCH, NOP, RUNE, RUNE1, RUNE_ANY, RUNE_ANY_NOT_NL] = Array.from(
  { length: 11 },
  (_, i) => i + 1,
) as [number, number, number, number, number, number, number, number, number, number, number];
const EMPTY_BEGIN_TEXT = 0x04;
const EMPTY_END_TEXT = 0x08;
const FOLD_CASE = 1;

/** The program of an expression; undefined when RE2 refuses it. */
export function regexProgram(pattern: string): RegexProgram | undefined {
  const { RE2JS, RE2JSException } = re2();
  let compiled: { re2Input: { prog: { inst: readonly Instruction[]; start: number } } };
  try {
    compiled = RE2JS.compile(pattern) as unknown as typeof compiled;
  } catch (error) {
    if (error instanceof RE2JSException) return undefined;
    throw error;
  }
  const { inst, start } = compiled.re2Input.prog;
  return { size: inst.length, canMatch: ({ first, never = '' } = {}) => reaches(inst, start, first, never) };
}

/**
 * Walks the program as a graph. A place in it is reached at the text's beginning or behind that, and open or at the text's end: behind a
 * `$` nothing more may be read. Word boundaries and line ends are let pass, so that the answer is "no" only when it is certain.
 */
function reaches(program: readonly Instruction[], start: number, first: string | undefined, never: string): boolean {
  const refused = [...never].map((char) => char.codePointAt(0)!);
  const begin = first?.codePointAt(0);
  const seen = new Set<number>();
  const open: number[] = [];
  const visit = (at: number, inside: boolean, ended: boolean): void => {
    const state = at * 4 + (inside ? 2 : 0) + (ended ? 1 : 0);
    if (seen.has(state)) return;
    seen.add(state);
    open.push(state);
  };
  visit(start, false, false);
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const { op, out, arg, runes } = program[state >> 2]!;
    const inside = (state & 2) !== 0;
    const ended = (state & 1) !== 0;
    if (op === ALT || op === ALT_MATCH) {
      visit(out, inside, ended);
      visit(arg, inside, ended);
    } else if (op === CAPTURE || op === NOP) visit(out, inside, ended);
    else if (op === EMPTY_WIDTH) {
      if ((arg & EMPTY_BEGIN_TEXT) !== 0 && inside) continue;
      visit(out, inside, ended || (arg & EMPTY_END_TEXT) !== 0);
    } else if (op === MATCH) {
      // An empty text begins with nothing.
      if (inside || begin === undefined) return true;
    } else if (op !== FAIL && !ended && accepts(op, arg, runes, inside ? undefined : begin, refused)) visit(out, true, false);
  }
  return false;
}

/** Whether one character can be read here: that one, or else any that is not refused. */
function accepts(op: number, arg: number, runes: ArrayLike<number>, one: number | undefined, refused: readonly number[]): boolean {
  if (op === RUNE_ANY || op === RUNE_ANY_NOT_NL) return true;
  if (op !== RUNE && op !== RUNE1) return true;
  const folds = (arg & FOLD_CASE) !== 0;
  if (runes.length === 1) {
    const rune = runes[0]!;
    return one === undefined ? !refused.includes(rune) : rune === one || folds;
  }
  for (let i = 0; i + 1 < runes.length; i += 2) {
    const [low, high] = [runes[i]!, runes[i + 1]!];
    if (one !== undefined ? low <= one && one <= high : high - low >= refused.length || countRefused(low, high, refused) <= high - low)
      return true;
  }
  return false;
}

const countRefused = (low: number, high: number, refused: readonly number[]): number =>
  refused.filter((rune) => low <= rune && rune <= high).length;
