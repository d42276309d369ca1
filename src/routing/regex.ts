import type { RE2JS } from 're2js';
import { re2 } from '../re2.ts';
import { nativeFullMatch } from './native-regex.ts';
import { isAscii, toWire } from './wire-text.ts';

/**
 * A compiled RE2 pattern over wire text (one character a byte). Envoy: every match is a match of the whole text, and pattern and text
 * are bytes (RE2's Latin-1), so that nothing can be written in a way that `.+` does not match.
 */
export interface Regex {
  readonly pattern: string;
  fullMatch(wire: string): boolean;
  /** Every match replaced, as RE2's GlobalReplace does it: `\0` is the match, `\1` … `\9` its groups. */
  replaceAll(wire: string, substitution: Substitution): string;
}

/** A parsed substitution: literal parts and group numbers; undefined when it names a group that the pattern does not have: nothing is replaced then. */
export type Substitution = readonly (string | number)[] | undefined;

/** Compiles a pattern; a string says why RE2 refuses it. */
export function compileRegex(pattern: string): Regex | string {
  let compiled: RE2JS;
  try {
    compiled = re2().RE2JS.compile(toWire(pattern));
  } catch (error) {
    if (error instanceof re2().RE2JSException) return error.message;
    throw error;
  }
  const native = nativeFullMatch(pattern);
  const prefix = native === undefined ? literalPrefix(pattern) : '';
  return {
    pattern,
    fullMatch(wire: string): boolean {
      if (native !== undefined && isAscii(wire)) return native.test(wire);
      if (prefix !== '' && !wire.startsWith(prefix)) return false;
      return compiled.matches(wire);
    },
    replaceAll(wire: string, substitution: Substitution): string {
      if (substitution === undefined) return wire;
      const matcher = compiled.matcher(wire);
      let out = '';
      let last = 0;
      while (matcher.find()) {
        out += wire.slice(last, matcher.start());
        for (const part of substitution) out += typeof part === 'string' ? toWire(part) : (matcher.group(part) ?? '');
        last = matcher.end();
      }
      return out + wire.slice(last);
    },
  };
}

/** How many groups a pattern captures; the pattern compiles. */
export function groupCount(pattern: string): number {
  return re2().RE2JS.compile(pattern).groupCount();
}

/** `\1/\2` as parts; a string says what is wrong with it. */
export function parseSubstitution(text: string, groups: number): Substitution | { error: string } {
  const parts: (string | number)[] = [];
  let plain = '';
  let missing = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      plain += text[i];
      continue;
    }
    const next = text[++i];
    if (next === '\\') plain += '\\';
    else if (next !== undefined && next >= '0' && next <= '9') {
      missing ||= Number(next) > groups;
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push(Number(next));
    } else return { error: `substitution ${JSON.stringify(text)} has a backslash that is not followed by a digit or a backslash` };
  }
  if (plain !== '' || parts.length === 0) parts.push(plain);
  return missing ? undefined : parts;
}

/** What every match must begin with, as far as that is plain to see. */
function literalPrefix(pattern: string): string {
  if (pattern.includes('|') || pattern.includes('(?')) return '';
  const found = /^\^?((?:[A-Za-z0-9_/~:@!%&=,;"'<> -]|\\[./-])*)(.?)/s.exec(pattern);
  if (found === null) return '';
  let prefix = found[1]!;
  // The last character may be optional or repeated.
  if (/[?*+{]/.test(found[2]!)) prefix = prefix.replace(/\\?.$/, '');
  return toWire(prefix.replace(/\\(.)/g, '$1'));
}
