/** Durations as Istio's configuration writes them: Go's notation. */

/** Nanoseconds a unit. Both micro signs are allowed: U+00B5 and U+03BC. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** The longest duration that Go can hold, about 292 years: an int64 of nanoseconds. */
const LIMIT = 2 ** 63;
const [ZERO, NINE, DOT] = [0x30, 0x39, 0x2e];

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/**
 * Reads a Go duration: an optional sign, then numbers with units (`ns`, `us`, `ms`, `s`, `m`, `h`), such as `1.5s`, `1h30m`, `.5s`,
 * `-1s`; or `0` alone.
 *
 * @returns milliseconds, with a fraction for micro- and nanoseconds; undefined if the text is no duration or is over 292 years.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  let at = sign === -1 || text.startsWith('+') ? 1 : 0;
  if (text.length === at) return undefined;
  if (text.length === at + 1 && text.charCodeAt(at) === ZERO) return 0;
  let total = 0;
  while (at < text.length) {
    const start = at;
    let whole = 0;
    while (isDigit(text.charCodeAt(at))) whole = whole * 10 + (text.charCodeAt(at++) - ZERO);
    let digits = at - start;
    let fraction = 0;
    let scale = 1;
    if (text.charCodeAt(at) === DOT) {
      const first = ++at;
      while (isDigit(text.charCodeAt(at))) at++;
      digits += at - first;
      // Digits after the 19th are far below a nanosecond, even of hours; Go stops about there as well.
      const last = Math.min(at, first + 19);
      fraction = Number(text.slice(first, last));
      scale = 10 ** (last - first);
    }
    if (digits === 0) return undefined;
    const unitStart = at;
    while (at < text.length && text.charCodeAt(at) !== DOT && !isDigit(text.charCodeAt(at))) at++;
    const unit = UNITS.get(text.slice(unitStart, at));
    if (unit === undefined) return undefined;
    total += whole * unit + Math.trunc(fraction * (unit / scale));
    // A double cannot tell the last few hundred nanoseconds before the limit apart, in 292 years.
    if (total > LIMIT) return undefined;
  }
  return total === 0 ? 0 : (sign * total) / 1e6;
}
