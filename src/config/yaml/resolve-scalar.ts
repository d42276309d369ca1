/** What `resolveScalar` gives for text that is a string. */
export const STRING: unique symbol = Symbol('string');

/**
 * The value of a plain scalar as kubectl reads it (sigs.k8s.io/yaml, a fork of go-yaml v2: resolve.go there): null, a boolean, a number, or STRING.
 *
 * YAML 1.1 booleans with `y` and `n`; integers as Go's ParseInt with base 0 (`0777`, `0o777`, `0x1F`, `0b11`, underscores anywhere);
 * floats of the YAML 1.2 form; no base-60 numbers; timestamps stay strings.
 */
export function resolveScalar(text: string): null | boolean | number | typeof STRING {
  switch (text.charCodeAt(0)) {
    case 43: // +
    case 45: // -
    case 48:
    case 49:
    case 50:
    case 51:
    case 52:
    case 53:
    case 54:
    case 55:
    case 56:
    case 57: // biome-ignore format: one range
      return resolveNumber(text);
    case 46: // .
      return SPECIAL.get(text) ?? (DOT_FLOAT.test(text) ? Number(text.replaceAll('_', '')) : STRING);
    case 126: // ~
      return text.length === 1 ? null : STRING;
    case 70:
    case 78:
    case 79:
    case 84:
    case 89: // F N O T Y
    case 102:
    case 110:
    case 111:
    case 116:
    case 121: // biome-ignore format: f n o t y
      // No word is longer than `false`.
      return text.length > 5 ? STRING : (WORDS.get(text) ?? (NULLS.has(text) ? null : STRING));
    default:
      return text === '' ? null : STRING;
  }
}

const NULLS = new Set(['null', 'Null', 'NULL']);
const WORDS = new Map<string, boolean>();
for (const [value, words] of [
  [true, ['y', 'yes', 'true', 'on']],
  [false, ['n', 'no', 'false', 'off']],
] as const) {
  for (const word of words) {
    for (const spelling of [word, word[0]!.toUpperCase() + word.slice(1), word.toUpperCase()]) WORDS.set(spelling, value);
  }
}
const SPECIAL = new Map<string, number>();
for (const spelling of ['.inf', '.Inf', '.INF']) {
  SPECIAL.set(spelling, Infinity).set(`+${spelling}`, Infinity).set(`-${spelling}`, -Infinity);
}
for (const spelling of ['.nan', '.NaN', '.NAN']) SPECIAL.set(spelling, NaN);

/** Go's ParseFloat of what begins with a dot; underscores stand between digits only. */
const DOT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const DECIMAL = /^[-+]?(?:0|[1-9][0-9]*)$/;
const BASED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[oO]?([0-7]+)|[bB]([01]+))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function resolveNumber(text: string): number | typeof STRING {
  if (text.length === 1) {
    const digit = text.charCodeAt(0) - 48;
    return digit >= 0 ? digit : STRING;
  }
  const special = SPECIAL.get(text);
  if (special !== undefined) return special;
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  // A minus sign before zero is no negative zero: Go reads an integer.
  if (DECIMAL.test(plain)) return Number(plain) + 0;
  const based = BASED.exec(plain);
  if (based !== null) {
    const [, sign, hexadecimal, octal, binary] = based;
    const digits = hexadecimal ?? octal ?? binary!;
    const value = Number(`0${hexadecimal !== undefined ? 'x' : octal !== undefined ? 'o' : 'b'}${digits}`);
    return sign === '-' ? 0 - value : value;
  }
  return FLOAT.test(plain) ? Number(plain) : STRING;
}
