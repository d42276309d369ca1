/** What came of a request, in a form in which two engines can be compared. */
import type { Arrival } from '../contract/backends/types.ts';
import type { Answer } from '../contract/clients/types.ts';

type Fields = readonly (readonly [string, string])[];

export interface Observation {
  status: number;
  broken: boolean;
  headers: string[];
  body: string;
  trailers: string[];
  messages: readonly string[];
  arrivals: string[][];
}

/** Values that differ from one request to the next. */
const VARYING: Readonly<Record<string, RegExp>> = {
  'x-request-id': /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/,
  'x-envoy-upstream-service-time': /^\d+$/,
  date: /^\w{3}, \d\d \w{3} 20\d\d [\d:]{8} GMT$/,
  'set-cookie': /^sticky="[\da-f]+"/,
};
/** Of the test itself. */
const OWN = new Set(['x-fuzz-id']);
/**
 * What a backend may be told or not: that its connection is kept (RFC 9112 9.3 says so of HTTP/1.1 anyway), and that there is no body
 * where there is none (RFC 9110 8.6 wants it of methods that have one; Envoy says it of all but GET, HEAD, DELETE and TRACE). The embedded
 * proxy answers Expect by itself.
 */
const SAYS_NOTHING = new Set(['connection: keep-alive', 'content-length: 0']);
/** How long answers are kept as they are; longer ones by length. */
const SHORT = 300;

/** A value as it stands, unless it is one that cannot be the same twice. @param given what the client wrote itself */
function normal(name: string, value: string, given: ReadonlySet<string>): string {
  if (name === 'x-request-id' && given.has(value)) return value;
  return VARYING[name]?.test(value) ? '<varies>' : value;
}

/** By name, with the order of one name's values kept: that of different names means nothing (RFC 9110 5.3). */
function fieldsOf(fields: Fields, given: ReadonlySet<string>): string[] {
  return fields
    .filter(([name]) => !OWN.has(name))
    .map(([name, value]) => [name, normal(name, value, given)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}: ${value.length > SHORT ? `${value.slice(0, 20)}… (${value.length})` : value}`);
}

const brief = (text: string): string => (text.length > SHORT ? `${text.slice(0, 60)}… (${text.length})` : text);

export function observe(
  answer: Answer,
  arrivals: readonly Arrival[],
  given: ReadonlySet<string>,
  hasBody: boolean,
  head: boolean,
): Observation {
  return {
    status: answer.status,
    broken: answer.error !== undefined,
    // Whether a client that sends a body is let go depends on how much of it was read by then.
    headers: fieldsOf(answer.headers, given).filter((line) => !(hasBody && line === 'connection: close')),
    body: brief(answer.body),
    trailers: fieldsOf(answer.trailers, given),
    // Envoy's parser refuses requests with a body, HEAD or not.
    messages: head ? [] : answer.messages,
    arrivals: arrivals.map(({ backend, protocol, method, path, authority, headers, body }) => [
      `${backend}: ${method} ${path} ${protocol} of ${authority}`,
      ...fieldsOf(headers, given).filter(
        (line) => !SAYS_NOTHING.has(line) && !line.startsWith('expect: ') && !(body === '' && line === 'transfer-encoding: chunked'),
      ),
      brief(body),
    ]),
  };
}

/** Lines that only one of them has; empty when they are the same. */
export function differences(embedded: Observation, envoy: Observation): string[] {
  const lines = (o: Observation): string[] => [
    `status ${o.status}${o.broken ? ', broken' : ''}`,
    ...o.headers.map((h) => `client sees ${h}`),
    `body ${JSON.stringify(o.body)}`,
    ...o.trailers.map((t) => `trailer ${t}`),
    ...o.messages.map((m) => `message ${JSON.stringify(m)}`),
    ...o.arrivals.flatMap((a, i) => a.map((line) => `arrival ${i + 1}: ${line}`)),
  ];
  const [ours, theirs] = [lines(embedded), lines(envoy)];
  const only = (a: readonly string[], b: readonly string[], who: string): string[] => {
    const left = [...b];
    return a.flatMap((line) => {
      const at = left.indexOf(line);
      if (at < 0) return [`${who} ${line}`];
      left.splice(at, 1);
      return [];
    });
  };
  return [...only(ours, theirs, 'embedded:'), ...only(theirs, ours, 'envoy:   ')];
}
