/**
 * Why a header value is refused, or undefined. `%NAME%`, `%NAME(text)%` and `%NAME(["a", "b"])%` are variables, `%%` is a percent sign; which
 * names there are is left to the proxy.
 */
export function headerValueProblem(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return 'it holds a control character';
  let at = value.indexOf('%');
  while (at !== -1) {
    const end = value.charAt(at + 1) === '%' ? at + 2 : endOfVariable(value, at + 1);
    if (end === -1) return `the variable that begins with \`${value.slice(at, at + 20)}\` does not end; a percent sign is written \`%%\``;
    at = value.indexOf('%', end);
  }
  return undefined;
}

/** Behind the closing `%` of a variable whose name begins at `start`; -1 when there is none. */
function endOfVariable(value: string, start: number): number {
  let at = start;
  while (at < value.length && value[at] !== '%' && value[at] !== '(') at++;
  if (at >= value.length) return -1;
  if (value[at] === '%') return at + 1;
  at = endOfArguments(value, at + 1);
  if (at === -1) return -1;
  while (value[at] === ' ') at++;
  return value[at] === '%' ? at + 1 : -1;
}

/** Behind the `)`; inside lists and after a backslash a `)` is text. */
function endOfArguments(value: string, start: number): number {
  let at = start;
  while (value[at] === ' ') at++;
  if (value[at] !== '[') {
    for (; at < value.length; at++) {
      if (value[at] === '\\') at++;
      else if (value[at] === ')') return at + 1;
    }
    return -1;
  }
  const list = /^\[\s*(?:"(?:[^"\\]|\\.)*"\s*(?:,\s*"(?:[^"\\]|\\.)*"\s*)*)?\]\s*\)/.exec(value.slice(at));
  return list === null ? -1 : at + list[0].length;
}
