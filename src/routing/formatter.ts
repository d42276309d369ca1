import { compileOperator, type Operator, type OperatorValue } from './operators.ts';
import type { StreamInfo } from './stream-info.ts';
import { toWire } from './wire-text.ts';

/** A compiled format string: text with command operators, `[%START_TIME%] %REQ(:METHOD)%`. */
export interface Format {
  readonly text: string;
  /** With `missing` where an operator has no value. */
  format(info: StreamInfo, missing: string): string;
  /** The value of a format that is one operator and nothing else; undefined for others. */
  readonly single: Operator | undefined;
  /** True when it shows the same for every request. */
  readonly constant: boolean;
}

/** `%NAME%`, `%NAME(ARGUMENT)%`, `%NAME(ARGUMENT):LENGTH%`, and `%%`. Envoy: command operators. */
const operatorPattern = /%(?:%|([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::([0-9]+))?%)/y;

/** Compiles a format; a string says what is wrong with it. The result is wire text. */
export function compileFormat(text: string): Format | string {
  const parts: (string | Operator)[] = [];
  let literal = '';
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '%') {
      const next = text.indexOf('%', i);
      const end = next < 0 ? text.length : next;
      literal += text.slice(i, end);
      i = end;
      continue;
    }
    operatorPattern.lastIndex = i;
    const found = operatorPattern.exec(text);
    if (found === null)
      return `${JSON.stringify(text)} has a % at position ${i} that begins no command operator (a plain one is written %%)`;
    i += found[0].length;
    if (found[1] === undefined) {
      literal += '%';
      continue;
    }
    const operator = compileOperator(found[1], found[2], found[3] === undefined ? undefined : Number(found[3]));
    if (typeof operator === 'string') return operator;
    if (literal !== '') parts.push(toWire(literal));
    literal = '';
    parts.push(operator);
  }
  if (literal !== '' || parts.length === 0) parts.push(toWire(literal));
  const [first] = parts;
  const fixed = parts.length === 1 && typeof first === 'string' ? first : undefined;
  return {
    text,
    single: parts.length === 1 && typeof first === 'function' ? first : undefined,
    constant: fixed !== undefined,
    format(info, missing) {
      if (fixed !== undefined) return fixed;
      let out = '';
      for (const part of parts) out += typeof part === 'string' ? part : shown(part(info), missing);
      return out;
    },
  };
}

function shown(value: OperatorValue, missing: string): string {
  if (value === undefined) return missing;
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? toWire(JSON.stringify(value)) : String(value);
}
