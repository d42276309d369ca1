/**
 * The syntax of CEL expressions: https://github.com/google/cel-spec/blob/master/doc/langdef.md. Types and names are not checked: whether
 * `response.code` exists is the proxy's to say.
 */

const TOKEN =
  /(?:\s|\/\/[^\n]*(?:\n|$))*(?:((?:[bB]?[rR]|[rR]?[bB])?(?:"""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'))|(0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]*\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?)|([A-Za-z_][A-Za-z0-9_]*)|(&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()[\]{}]))/y;

interface Token {
  type: 'text' | 'number' | 'name' | 'sign' | 'end';
  text: string;
}

/** Names that are operators or reserved. */
const RESERVED = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '));
const RELATIONS = new Set(['<', '<=', '>=', '>', '==', '!=']);
const MAX_DEPTH = 100;

class SyntaxProblem extends Error {}

/** Why a text is no CEL expression, or undefined. */
export function celProblem(text: string): string | undefined {
  try {
    const tokens = tokenize(text);
    if (tokens.length === 1) return 'it is empty';
    parse(tokens);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.replace(/(?:^|\n)\s*\/\/[^\n]*\s*$/, '').trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new SyntaxProblem(`it cannot be read from ${JSON.stringify(text.slice(at, at + 20).trim())} on`);
    const [, string, number, name, sign] = found;
    tokens.push({
      type: string !== undefined ? 'text' : number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign',
      text: (string ?? number ?? name ?? sign)!,
    });
  }
  tokens.push({ type: 'end', text: 'the end' });
  return tokens;
}

function parse(tokens: readonly Token[]): void {
  let next = 0;
  let depth = 0;
  const at = (text: string): boolean => tokens[next]!.type === 'sign' && tokens[next]!.text === text;
  const take = (text: string): boolean => {
    if (!at(text)) return false;
    next++;
    return true;
  };
  const fail = (expected: string): never => {
    throw new SyntaxProblem(
      `${expected} is expected, not ${tokens[next]!.type === 'end' ? 'the end' : JSON.stringify(tokens[next]!.text)}`,
    );
  };
  const need = (text: string): void => {
    if (!take(text)) fail(`\`${text}\``);
  };
  const expression = (): void => {
    if (++depth > MAX_DEPTH) throw new SyntaxProblem('it is nested too deeply');
    binary(0);
    if (take('?')) {
      binary(0);
      need(':');
      expression();
    }
    depth--;
  };
  const levels = [['||'], ['&&'], [...RELATIONS], ['+', '-'], ['*', '/', '%']];
  const binary = (level: number): void => {
    if (level === levels.length) {
      unary();
      return;
    }
    binary(level + 1);
    for (;;) {
      const token = tokens[next]!;
      const operator =
        (token.type === 'sign' && levels[level]!.includes(token.text)) || (level === 2 && token.type === 'name' && token.text === 'in');
      if (!operator) return;
      next++;
      binary(level + 1);
    }
  };
  const unary = (): void => {
    if (at('!')) while (take('!'));
    else if (at('-')) while (take('-'));
    member();
  };
  const list = (end: string, item: () => void): void => {
    while (!at(end)) {
      item();
      if (!take(',')) break;
    }
    need(end);
  };
  const entry = (): void => {
    expression();
    need(':');
    expression();
  };
  const name = (): void => {
    if (tokens[next]!.type !== 'name') fail('a name');
    next++;
  };
  const member = (): void => {
    const token = tokens[next]!;
    if (token.type === 'text' || token.type === 'number') next++;
    else if (token.type === 'name') {
      if (RESERVED.has(token.text) || token.text === 'in') fail('a value');
      next++;
    } else if (take('.')) name();
    else if (take('(')) {
      expression();
      need(')');
    } else if (take('[')) list(']', expression);
    else if (take('{')) list('}', entry);
    else fail('a value');
    for (;;) {
      if (take('.')) name();
      else if (take('(')) list(')', expression);
      else if (take('[')) {
        expression();
        need(']');
      } else if (take('{')) list('}', entry);
      else return;
    }
  };
  expression();
  if (tokens[next]!.type !== 'end') fail('an operator or the end');
}
