/** How expectations are compared with what was seen. */
import type { CountMatch, TextMatch } from './case.ts';

/** Why `seen` is not what was expected; undefined when it is. */
export function textMismatch(expected: TextMatch, seen: readonly string[] | string | undefined): string | undefined {
  const said = seen === undefined ? 'nothing' : JSON.stringify(seen);
  if (expected === null) return seen === undefined ? undefined : `${said}, not nothing`;
  if (typeof expected === 'object') {
    const lines = typeof seen === 'string' ? [seen] : (seen ?? []);
    const same = lines.length === expected.length && lines.every((line, i) => line === String(expected[i]));
    return same ? undefined : `${said}, not ${JSON.stringify(expected)}`;
  }
  const one = typeof seen === 'string' || seen === undefined ? seen : seen.join(',');
  const text = String(expected);
  if (one === undefined) return `nothing, not ${text}`;
  if (text.startsWith('~')) return new RegExp(text.slice(1), 's').test(one) ? undefined : `${said}, not ${text}`;
  return one === text ? undefined : `${said}, not ${JSON.stringify(text)}`;
}

export function countMismatch(expected: CountMatch, seen: number): string | undefined {
  const text = String(expected);
  const range = /^(\d+)\.\.(\d+)$/.exec(text);
  const bound = /^([<>]=)(\d+)$/.exec(text);
  const fits = range
    ? seen >= Number(range[1]) && seen <= Number(range[2])
    : bound
      ? bound[1] === '>='
        ? seen >= Number(bound[2])
        : seen <= Number(bound[2])
      : seen === Number(text);
  return fits ? undefined : `${seen}, not ${text}`;
}

/** Five standard deviations of a binomial count, and one for rounding: a right balancer fails once in a million runs. */
export function shareMismatch(percent: number, seen: number, all: number): string | undefined {
  const p = percent / 100;
  const tolerance = p === 0 || p === 1 ? 0 : 5 * Math.sqrt(all * p * (1 - p)) + 1;
  return Math.abs(seen - all * p) <= tolerance ? undefined : `${seen} of ${all}, not ${percent} % (within ${Math.ceil(tolerance)})`;
}
