import type { RequestRecord } from '../request-record.ts';
import { attributeName, type CelNode } from './parse.ts';

/** A value of an attribute or an expression; undefined where CEL would fail (the attribute is missing). */
export type CelValue = string | number | boolean | undefined;
export type CelExpression = (record: RequestRecord) => CelValue;

const some = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);
const portOf = (address: string): number | undefined => {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined ? undefined : Number(port);
};
const http = (r: RequestRecord): boolean => r.protocol !== 'TCP';

/** Envoy's attributes that a record has. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes */
const ATTRIBUTES: ReadonlyMap<string, CelExpression> = new Map<string, CelExpression>([
  ['request.method', (r) => some(r.method)],
  ['request.host', (r) => some(r.authority)],
  ['request.path', (r) => some(r.path)],
  ['request.url_path', (r) => some(r.path.split('?', 1)[0])],
  ['request.query', (r) => (r.path.includes('?') ? r.path.slice(r.path.indexOf('?') + 1) : undefined)],
  ['request.useragent', (r) => some(r.userAgent)],
  ['request.id', (r) => some(r.requestId)],
  ['request.protocol', (r) => (http(r) ? r.protocol : undefined)],
  ['request.size', (r) => (http(r) ? r.bytesReceived : undefined)],
  ['response.code', (r) => (r.status > 0 ? r.status : undefined)],
  ['response.code_details', (r) => some(r.details)],
  ['response.grpc_status', (r) => r.grpcStatus],
  ['response.size', (r) => (http(r) ? r.bytesSent : undefined)],
  ['source.address', (r) => some(r.downstreamRemoteAddress)],
  ['source.port', (r) => portOf(r.downstreamRemoteAddress)],
  ['destination.address', (r) => some(r.downstreamLocalAddress)],
  ['destination.port', (r) => portOf(r.downstreamLocalAddress)],
  ['upstream.address', (r) => some(r.upstreamHost)],
  ['upstream.port', (r) => portOf(r.upstreamHost)],
  ['connection.requested_server_name', (r) => some(r.sni)],
  ['connection.termination_details', (r) => some(r.terminationDetails)],
  ['connection.mtls', (r) => r.peerPrincipal !== undefined],
  ['xds.route_name', (r) => some(r.routeName)],
  ['xds.cluster_name', (r) => some(r.upstreamCluster)],
]);

/** For documentation. */
export const KNOWN_ATTRIBUTES: readonly string[] = [...ATTRIBUTES.keys(), "request.headers['…']"];

/** Compiles an expression over records; a string says what of it is not understood. `headers` gets the names of request headers that it reads. */
export function compileCel(node: CelNode, headers: Set<string>): CelExpression | string {
  switch (node.kind) {
    case 'literal':
      return () => node.value;
    case 'attribute':
      return attribute(node.path, headers);
    case 'choice':
      return withParts([node.condition, node.then, node.otherwise], headers, (condition, then, otherwise) => (r) => {
        const yes = condition!(r);
        return yes === undefined ? undefined : yes === true ? then!(r) : otherwise!(r);
      });
    case 'not':
      return withParts([node.operand], headers, (operand) => (r) => {
        const value = operand!(r);
        return typeof value === 'boolean' ? !value : undefined;
      });
    case 'binary':
      return binary(node, headers);
    case 'call':
      return call(node, headers);
    case 'list':
      return 'a list stands after `in` only';
  }
}

function attribute(path: readonly string[], headers: Set<string>): CelExpression | string {
  const [root, field, name] = path;
  if (root === 'request' && field === 'headers' && name !== undefined && path.length === 3) {
    const key = name.toLowerCase();
    headers.add(key);
    return (r) => r.requestHeaders?.[key];
  }
  return ATTRIBUTES.get(path.join('.')) ?? `the attribute ${attributeName(path)} is not known here`;
}

type Make = (...parts: (CelExpression | undefined)[]) => CelExpression;

function withParts(nodes: readonly CelNode[], headers: Set<string>, make: Make): CelExpression | string {
  const parts: CelExpression[] = [];
  for (const node of nodes) {
    const part = compileCel(node, headers);
    if (typeof part === 'string') return part;
    parts.push(part);
  }
  return make(...parts);
}

function binary(node: CelNode & { kind: 'binary' }, headers: Set<string>): CelExpression | string {
  const { op, left, right } = node;
  if (op === 'in') {
    if (right.kind !== 'list') return '`in` takes a list of literals';
    return withParts([left, ...right.items], headers, (value, ...items) => (r) => {
      const it = value!(r);
      return it === undefined ? undefined : items.some((item) => item!(r) === it);
    });
  }
  return withParts([left, right], headers, (a, b) => {
    const join = JOINS[op];
    return (r) => join(a!(r), b!(r));
  });
}

type Join = (a: CelValue, b: CelValue) => CelValue;
const compared =
  (test: (a: string | number, b: string | number) => boolean): Join =>
  (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return test(a, b);
    return typeof a === 'string' && typeof b === 'string' ? test(a, b) : undefined;
  };

/** CEL: `||` and `&&` pass over a side that fails when the other one decides. */
const JOINS: Readonly<Record<Exclude<(CelNode & { kind: 'binary' })['op'], 'in'>, Join>> = {
  '||': (a, b) => (a === true || b === true ? true : a === false && b === false ? false : undefined),
  '&&': (a, b) => (a === false || b === false ? false : a === true && b === true ? true : undefined),
  '==': (a, b) => (a === undefined || b === undefined ? undefined : a === b),
  '!=': (a, b) => (a === undefined || b === undefined ? undefined : a !== b),
  '<': compared((a, b) => a < b),
  '<=': compared((a, b) => a <= b),
  '>': compared((a, b) => a > b),
  '>=': compared((a, b) => a >= b),
  '+': (a, b) =>
    typeof a === 'string' && typeof b === 'string' ? a + b : typeof a === 'number' && typeof b === 'number' ? a + b : undefined,
};

const TEXT_CALLS: Readonly<Record<string, (text: string, argument: string) => boolean>> = {
  startsWith: (text, argument) => text.startsWith(argument),
  endsWith: (text, argument) => text.endsWith(argument),
  contains: (text, argument) => text.includes(argument),
};

function call({ name, target, args }: CelNode & { kind: 'call' }, headers: Set<string>): CelExpression | string {
  if (target !== undefined) {
    const test = Object.hasOwn(TEXT_CALLS, name) ? TEXT_CALLS[name] : undefined;
    if (test === undefined || args.length !== 1) return `the function ${name} is not known here`;
    return withParts([target, ...args], headers, (text, argument) => (r) => {
      const [a, b] = [text!(r), argument!(r)];
      return typeof a === 'string' && typeof b === 'string' ? test(a, b) : undefined;
    });
  }
  if (args.length !== 1 || (name !== 'has' && name !== 'string')) return `the function ${name} is not known here`;
  return withParts(args, headers, (value) => (r) => {
    const it = value!(r);
    if (name === 'has') return it !== undefined;
    return it === undefined ? undefined : String(it);
  });
}
