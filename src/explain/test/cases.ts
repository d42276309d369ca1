import type { FieldPath } from '../../config/resource.ts';
import type { Report } from '../../config/validation/report.ts';
import { parseIp } from '../../routing/ip-range.ts';
import { clientIdentity, IDENTITY_HINT } from '../client-identity.ts';
import { MESH_ALPN } from '../mesh-alpn.ts';
import type { Entry, HeaderLine, SecurityFacts } from '../types.ts';
import { parseUrl, splitAuthority } from '../url.ts';
import type { Case, Expectation } from './types.ts';

type OneOrMore<T> = T | readonly T[];

/** A test as it is written, checked against its schema. */
export interface WrittenTest {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
  readonly gateway?: string;
  readonly hosts?: OneOrMore<string>;
  readonly methods?: OneOrMore<string>;
  readonly paths?: OneOrMore<string>;
  readonly headers?: OneOrMore<Readonly<Record<string, string>>>;
  readonly connections?: OneOrMore<string>;
  readonly sni?: string;
  readonly sourceIp?: string;
  readonly http2?: boolean;
  readonly jwtClaims?: Readonly<Record<string, unknown>>;
  readonly identity?: string;
  readonly tls?: boolean;
  readonly extAuthz?: 'allow' | 'deny';
  readonly expect: Expectation;
}

const many = <T>(value: OneOrMore<T>): readonly T[] => (Array.isArray(value) ? value : [value as T]);
const entryPath = (value: OneOrMore<unknown>, at: FieldPath, index: number): FieldPath => (Array.isArray(value) ? [...at, index] : at);

/** RFC 9110 9.3, RFC 5789. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** More requests than that in one test are most likely a mistake, and would take minutes. */
const MOST_CASES = 100_000;

/** The cross product of hosts, methods, paths and headers; or the connections. What is no host or address is reported. */
export function casesOf(test: WrittenTest, at: FieldPath, report: Report): Case[] {
  const { hosts, connections, sourceIp } = test;
  if (sourceIp !== undefined && parseIp(sourceIp) === undefined) {
    report.error([...at, 'sourceIp'], 'test/address', `${JSON.stringify(sourceIp)} is no IP address`);
    return [];
  }
  if (test.identity !== undefined && clientIdentity(test.identity) === undefined) {
    report.error([...at, 'identity'], 'test/identity', `${JSON.stringify(test.identity)} is no identity`, { hint: IDENTITY_HINT });
    return [];
  }
  if (test.tls === true && test.to === undefined) {
    report.error([...at, 'tls'], 'test/tls', '`tls` says how a workload’s own proxy is called: the test needs `to`', { atKey: true });
    return [];
  }
  if (connections !== undefined) return connectionsOf(test, connections, at, report);
  if (hosts === undefined) {
    report.error(at, 'schema/required', 'the test asks nothing: it needs `hosts` or `connections`');
    return [];
  }
  return requestsOf(test, hosts, at, report);
}

function requestsOf(test: WrittenTest, hosts: OneOrMore<string>, at: FieldPath, report: Report): Case[] {
  const { methods = 'GET', paths = '/', headers = {}, sourceIp, sni, http2, jwtClaims, to } = test;
  const headerSets = many<Readonly<Record<string, string>>>(headers);
  const size = many(hosts).length * many(methods).length * many(paths).length * headerSets.length;
  if (size > MOST_CASES) {
    report.error(at, 'test/size', `the test has ${size} requests; ${MOST_CASES} are the most`, { hint: 'Split it into several tests' });
    return [];
  }
  for (const [i, set] of headerSets.entries()) {
    for (const [name, value] of Object.entries(set)) {
      // RFC 9110 5.5.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a value must not have
      if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
        report.error(
          [...entryPath(headers, [...at, 'headers'], i), name],
          'test/header',
          `the value of ${name} has a control character in it`,
        );
    }
  }
  for (const [i, path] of many(paths).entries()) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no path has them
    if (/[\x00-\x20\x7f#]/.test(path))
      report.error(
        entryPath(paths, [...at, 'paths'], i),
        'test/path',
        `${JSON.stringify(path)} is no path: it has a space, a control character or a # in it`,
      );
  }
  for (const [i, method] of many(methods).entries()) {
    if (method !== method.toUpperCase() && METHODS.has(method.toUpperCase()))
      report.error(
        entryPath(methods, [...at, 'methods'], i),
        'test/method',
        `${JSON.stringify(method)} is not the method ${method.toUpperCase()}: methods are case-sensitive`,
      );
  }
  const lines = headerSets.map((set) => Object.entries(set) as HeaderLine[]);
  const cases: Case[] = [];
  for (const [i, written] of many(hosts).entries()) {
    const url = parseUrl(written);
    const problem =
      typeof url === 'string'
        ? url
        : /^(?:[a-z]+:\/\/)?[^/?#]*$/i.test(written)
          ? undefined
          : 'it has a path in it, which belongs to `paths`';
    if (problem !== undefined || typeof url === 'string') {
      report.error(entryPath(hosts, [...at, 'hosts'], i), 'test/host', `${JSON.stringify(written)} is no host: ${problem}`, {
        hint: 'A host is reviews, reviews:9080 or https://shop.example.com',
      });
      continue;
    }
    const entry: { entry?: Entry } = to === undefined ? {} : { entry: { kind: 'inbound', port: url.port } };
    for (const method of many(methods)) {
      for (const path of many(paths)) {
        for (const set of lines) {
          cases.push({
            kind: 'request',
            host: hostHeader(set) ?? url.host,
            request: {
              method,
              url: `${url.scheme}://${url.authority}${path}`,
              headers: set,
              ...(http2 === true && { protocol: 'HTTP/2' }),
              ...(sourceIp !== undefined && { sourceIp }),
              ...(sni !== undefined && { sni }),
              ...(jwtClaims !== undefined && { jwtClaims }),
              ...factsOf(test),
              ...entry,
            },
          });
        }
      }
    }
  }
  return cases;
}

/** What the test says of certificates and of who is asked outside. */
function factsOf({ identity, tls, extAuthz, sni }: WrittenTest): SecurityFacts & { sni?: string; alpn?: readonly string[] } {
  const client = identity === undefined ? undefined : clientIdentity(identity);
  return {
    ...(client !== undefined && { client }),
    ...(extAuthz !== undefined && { extAuthz }),
    ...(tls === true && { tls: true, alpn: MESH_ALPN, sni: sni ?? '' }),
  };
}

const hostHeader = (lines: readonly HeaderLine[]): string | undefined => {
  const host = lines.find(([name]) => name.toLowerCase() === 'host')?.[1];
  return host === undefined ? undefined : splitAuthority(host)?.host;
};

function connectionsOf(test: WrittenTest, connections: OneOrMore<string>, at: FieldPath, report: Report): Case[] {
  const { sni, sourceIp, to } = test;
  return many(connections).flatMap((written, i): Case[] => {
    const split = splitAuthority(written);
    if (split?.port === undefined) {
      report.error(entryPath(connections, [...at, 'connections'], i), 'test/host', `${JSON.stringify(written)} is no HOST:PORT`, {
        hint: 'Write mysql.db:3306 or [::1]:3306',
      });
      return [];
    }
    const { host, port } = split;
    const entry: { entry?: Entry } = to === undefined ? {} : { entry: { kind: 'inbound', port } };
    return [
      {
        kind: 'connection',
        host,
        connection: {
          host,
          port,
          ...(sni !== undefined && { sni }),
          ...(sourceIp !== undefined && { sourceIp }),
          ...factsOf(test),
          ...entry,
        },
      },
    ];
  });
}
