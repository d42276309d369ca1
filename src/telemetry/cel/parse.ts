/**
 * The subset of CEL that Telemetry's expressions use: literals, attributes (`request.headers['x']`), comparisons, `in`, `&&`, `||`, `!`,
 * `? :` and calls. https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export type CelNode =
  | { kind: 'literal'; value: string | number | boolean }
  /** `request.headers['x-user']` is `['request', 'headers', 'x-user']`. */
  | { kind: 'attribute'; path: readonly string[] }
  | { kind: 'list'; items: readonly CelNode[] }
  | { kind: 'not'; operand: CelNode }
  | { kind: 'binary'; op: CelOperator; left: CelNode; right: CelNode }
  | { kind: 'choice'; condition: CelNode; then: CelNode; otherwise: CelNode }
  /** `has(x)`, `string(x)`; with a target `x.startsWith(y)`. */
  | { kind: 'call'; name: string; target: CelNode | undefined; args: readonly CelNode[] };

export type CelOperator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+';

/** What is wrong with an expression, and where in it (0-based). */
export interface CelError {
  message: string;
  at: number;
}

interface Token {
  kind: 'name' | 'number' | 'string' | 'operator' | 'end';
  text: string;
  at: number;
}

const TOKEN = /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(&&|\|\||[=!<>]=|[-<>!+?:.,()[\]]))/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

class Failure extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

function tokens(text: string): Token[] {
  const out: Token[] = [];
  for (let at = 0; ; ) {
    if (text.slice(at).trim() === '') {
      out.push({ kind: 'end', text: '', at: text.length });
      return out;
    }
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) throw new Failure('this is not understood', at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0));
    const [all, name, number, string] = found;
    const kind = name !== undefined ? 'name' : number !== undefined ? 'number' : string !== undefined ? 'string' : 'operator';
    const body = all.trimStart();
    out.push({ kind, text: body, at: at + all.length - body.length });
    at += all.length;
  }
}

/** Weakest first. */
const LEVELS: readonly (readonly CelOperator[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+']];

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  whole(): CelNode {
    const node = this.#choice();
    if (this.#next.kind !== 'end') throw new Failure(`unexpected ${this.#next.text}`, this.#next.at);
    return node;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(text: string): boolean {
    if (this.#next.text !== text || this.#next.kind === 'string') return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new Failure(`${text} is expected here`, this.#next.at);
  }

  #choice(): CelNode {
    const condition = this.#level(0);
    if (!this.#take('?')) return condition;
    const then = this.#choice();
    this.#expect(':');
    return { kind: 'choice', condition, then, otherwise: this.#choice() };
  }

  #level(level: number): CelNode {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#level(level + 1);
    for (let op = operators.find((o) => this.#take(o)); op !== undefined; op = operators.find((o) => this.#take(o)))
      left = { kind: 'binary', op, left, right: this.#level(level + 1) };
    return left;
  }

  #unary(): CelNode {
    if (this.#take('!')) return { kind: 'not', operand: this.#unary() };
    if (this.#take('-')) {
      const { kind, text, at } = this.#next;
      if (kind !== 'number') throw new Failure('- stands before numbers only', at);
      this.#at++;
      return { kind: 'literal', value: -Number(text) };
    }
    return this.#member(this.#primary());
  }

  #member(start: CelNode): CelNode {
    let node = start;
    for (;;) {
      const { at } = this.#next;
      if (this.#take('.')) {
        const name = this.#name();
        if (this.#take('(')) node = { kind: 'call', name, target: node, args: this.#list(')') };
        else node = extended(node, name, at);
      } else if (this.#take('[')) {
        const index = this.#choice();
        if (index.kind !== 'literal' || typeof index.value !== 'string') throw new Failure('keys are texts in quotes', at);
        this.#expect(']');
        node = extended(node, index.value, at);
      } else return node;
    }
  }

  #name(): string {
    const { kind, text, at } = this.#next;
    if (kind !== 'name') throw new Failure('a name is expected here', at);
    this.#at++;
    return text;
  }

  #primary(): CelNode {
    const { kind, text, at } = this.#next;
    if (this.#take('(')) {
      const node = this.#choice();
      this.#expect(')');
      return node;
    }
    if (this.#take('[')) return { kind: 'list', items: this.#list(']') };
    this.#at++;
    switch (kind) {
      case 'number':
        return { kind: 'literal', value: Number(text) };
      case 'string':
        return { kind: 'literal', value: text.slice(1, -1).replace(/\\(.)/g, (_all, c: string) => ESCAPES[c] ?? c) };
      case 'name':
        if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
        if (this.#take('(')) return { kind: 'call', name: text, target: undefined, args: this.#list(')') };
        return { kind: 'attribute', path: [text] };
      default:
        throw new Failure(kind === 'end' ? 'the expression ends too early' : `unexpected ${text}`, at);
    }
  }

  #list(end: string): CelNode[] {
    const items: CelNode[] = [];
    if (this.#take(end)) return items;
    do items.push(this.#choice());
    while (this.#take(','));
    this.#expect(end);
    return items;
  }
}

function extended(node: CelNode, key: string, at: number): CelNode {
  if (node.kind !== 'attribute') throw new Failure('only attributes have fields', at);
  return { kind: 'attribute', path: [...node.path, key] };
}

/** Parses an expression; what is wrong with it is returned, not thrown. */
export function parseCel(text: string): CelNode | CelError {
  try {
    return new Parser(text).whole();
  } catch (error) {
    if (error instanceof Failure) return { message: error.message, at: error.at };
    throw error;
  }
}

/** `request.headers['x-user']`, as it was meant. */
export function attributeName(path: readonly string[]): string {
  return path.map((p, i) => (i === 0 ? p : /^[A-Za-z_]\w*$/.test(p) ? `.${p}` : `[${JSON.stringify(p)}]`)).join('');
}
