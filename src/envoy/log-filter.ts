/**
 * Access log expressions (CEL) as Envoy's own access log filters, where these say exactly the same; both engines have them. In CEL a missing
 * attribute fails, and a request whose expression fails is not logged: so it is here, negations included.
 */
import type { AccessLogFilterJson, ComparisonFilter_OpJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { attributeName, type CelNode, type CelOperator, parseCel } from '../telemetry/cel/parse.ts';

type Built = AccessLogFilterJson | string;

/** Attributes of requests that are headers. */
const HEADERS: Readonly<Record<string, string>> = {
  'request.method': ':method',
  'request.path': ':path',
  'request.host': ':authority',
  'request.useragent': 'user-agent',
  'request.referer': 'referer',
  'request.id': 'x-request-id',
};
const NEGATED: Readonly<Partial<Record<CelOperator, CelOperator>>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};
const MIRRORED: Readonly<Partial<Record<CelOperator, CelOperator>>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

const and = (...filters: AccessLogFilterJson[]): AccessLogFilterJson => ({ andFilter: { filters } });
const or = (...filters: AccessLogFilterJson[]): AccessLogFilterJson => ({ orFilter: { filters } });
const status = (op: ComparisonFilter_OpJson, code: number): AccessLogFilterJson => ({
  statusCodeFilter: { comparison: { op, value: { defaultValue: code, runtimeKey: 'fairlead.access_log' } } },
});
const header = (json: HeaderMatcherJson): AccessLogFilterJson => ({ headerFilter: { header: json } });
/** Envoy: `and` and `or` have two parts at least. */
const never = and(status('GE', 1), status('LE', 0));
const answered = status('GE', 1);

/** The filter for an expression; a string says why there is none. */
export function logFilter(expression: string): Built {
  const parsed = parseCel(expression);
  if ('message' in parsed) return `${parsed.message}, at position ${parsed.at + 1}`;
  return build(parsed, false);
}

function build(node: CelNode, negated: boolean): Built {
  switch (node.kind) {
    case 'not':
      return build(node.operand, !negated);
    case 'binary':
      return node.op === '&&' || node.op === '||' ? joined(node, negated) : compared(node, negated);
    case 'call':
      return called(node, negated);
    case 'attribute':
      return `${attributeName(node.path)} is not something that access log filters decide by`;
    default:
      return 'it must compare an attribute with a literal';
  }
}

function joined({ op, left, right }: CelNode & { kind: 'binary' }, negated: boolean): Built {
  const parts: AccessLogFilterJson[] = [];
  for (const side of [left, right]) {
    const part = build(side, negated);
    if (typeof part === 'string') return part;
    parts.push(part);
  }
  // De Morgan.
  return (op === '&&') !== negated ? and(...parts) : or(...parts);
}

function compared({ op, left, right }: CelNode & { kind: 'binary' }, negated: boolean): Built {
  if (op === 'in') return member(left, right, negated);
  if (left.kind === 'literal' && right.kind === 'attribute')
    return compared({ kind: 'binary', op: MIRRORED[op] ?? op, left: right, right: left }, negated);
  if (left.kind !== 'attribute' || right.kind !== 'literal') return 'it must compare an attribute with a literal';
  const wanted = negated ? NEGATED[op] : op;
  if (wanted === undefined) return `${op} is not something that access log filters do`;
  const { value } = right;
  if (left.path.join('.') === 'response.code') {
    if (typeof value !== 'number' || !Number.isInteger(value)) return 'response.code is compared with whole numbers';
    return statusCompared(wanted, value);
  }
  const name = headerOf(left.path);
  if (name === undefined) return `${attributeName(left.path)} is not something that access log filters decide by`;
  if (typeof value !== 'string' || (wanted !== '==' && wanted !== '!='))
    return `${attributeName(left.path)} is compared with texts by == and !=`;
  return text(name, { exact: value }, wanted === '!=');
}

/** Without a response the code counts as 0 in Envoy, and is missing in CEL. */
function statusCompared(op: CelOperator, code: number): AccessLogFilterJson {
  switch (op) {
    case '==':
      return code > 0 ? status('EQ', code) : never;
    case '!=':
      return code > 0 ? or(and(answered, status('LE', code - 1)), status('GE', code + 1)) : answered;
    case '>=':
      return status('GE', Math.max(code, 1));
    case '>':
      return status('GE', Math.max(code + 1, 1));
    default: {
      const most = op === '<' ? code - 1 : code;
      return most > 0 ? and(answered, status('LE', most)) : never;
    }
  }
}

function headerOf(path: readonly string[]): string | undefined {
  if (path.length === 3 && path[0] === 'request' && path[1] === 'headers') return path[2]!.toLowerCase();
  const key = path.join('.');
  return Object.hasOwn(HEADERS, key) ? HEADERS[key] : undefined;
}

/** Envoy: a value condition fails without the header, inverted or not. */
function text(name: string, stringMatch: StringMatcherJson, invertMatch: boolean): AccessLogFilterJson {
  return header({ name, stringMatch, ...(invertMatch && { invertMatch }) });
}

function member(left: CelNode, right: CelNode, negated: boolean): Built {
  if (right.kind !== 'list' || right.items.length === 0) return '`in` takes a list of literals';
  const parts: AccessLogFilterJson[] = [];
  for (const item of right.items) {
    const part = compared({ kind: 'binary', op: '==', left, right: item }, negated);
    if (typeof part === 'string') return part;
    parts.push(part);
  }
  if (parts.length === 1) return parts[0]!;
  return negated ? and(...parts) : or(...parts);
}

function called({ name, target, args }: CelNode & { kind: 'call' }, negated: boolean): Built {
  const [argument] = args;
  if (name === 'has' && target === undefined && args.length === 1 && argument?.kind === 'attribute') {
    if (argument.path.join('.') === 'response.code') return negated ? status('EQ', 0) : answered;
    const key = headerOf(argument.path);
    if (key !== undefined) return header({ name: key, presentMatch: !negated });
    return `${attributeName(argument.path)} is not something that access log filters decide by`;
  }
  const key = target?.kind === 'attribute' ? headerOf(target.path) : undefined;
  if (key === undefined || args.length !== 1 || argument?.kind !== 'literal' || typeof argument.value !== 'string' || argument.value === '')
    return `the function ${name} is not something that access log filters do here`;
  switch (name) {
    case 'startsWith':
      return text(key, { prefix: argument.value }, negated);
    case 'endsWith':
      return text(key, { suffix: argument.value }, negated);
    case 'contains':
      return text(key, { contains: argument.value }, negated);
    default:
      return `the function ${name} is not something that access log filters do here`;
  }
}
