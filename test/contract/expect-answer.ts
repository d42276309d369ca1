/** What one answer, and what reached the backend, must be like. */
import type { Arrival } from './backends/types.ts';
import type { Expectation, TextMatch, TlsExpectation } from './case.ts';
import { type Answer, NO_END, type SeenTls } from './clients/types.ts';
import { countMismatch, textMismatch } from './match.ts';

type Fields = readonly (readonly [string, string])[];

const linesOf = (fields: Fields, name: string): string[] | undefined => {
  const lines = fields.filter(([k]) => k === name.toLowerCase()).map(([, v]) => v);
  return lines.length === 0 ? undefined : lines;
};

function fieldMismatches(what: string, expected: Record<string, TextMatch>, fields: Fields): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const wrong = textMismatch(value, linesOf(fields, name));
    return wrong === undefined ? [] : [`${what} ${name}: ${wrong}`];
  });
}

/** Which backend an answer came from, by what it says. */
export function originOf({ status, headers, messages, body }: Answer): string | undefined {
  // Bytes without HTTP say it at their beginning; a proxy's `RBAC: access denied` is no such thing.
  return linesOf(headers, 'x-instance')?.at(-1) ?? /^([\w-]+):/.exec(messages[0] ?? (status === 0 ? body : ''))?.[1];
}

export function answerMismatches(expected: Expectation, answer: Answer): string[] {
  const out: string[] = [];
  const say = (what: string, wrong: string | undefined): void => {
    if (wrong !== undefined) out.push(`${what}: ${wrong}`);
  };
  const { status, from, local, broken, took, grpcStatus } = expected;
  if (status !== undefined && answer.status !== status)
    say('status', `${answer.status} (${answer.error ?? answer.body.slice(0, 200)}), not ${status}`);
  if (answer.error === NO_END) say('end', 'the connection stays open');
  const origin = originOf(answer);
  if (from !== undefined && ![from].flat().includes(origin ?? '')) say('from', `${origin ?? 'no backend'}, not ${String(from)}`);
  if (local && origin !== undefined) say('local', `${origin} answered`);
  if (broken !== undefined && (answer.error !== undefined) !== broken) say('broken', answer.error ?? `no, ${answer.status}`);
  if (expected.body !== undefined) say('body', textMismatch(expected.body, answer.body));
  if (expected.length !== undefined) say('length', countMismatch(expected.length, answer.body.length));
  out.push(...fieldMismatches('header', expected.headers ?? {}, answer.headers));
  out.push(...fieldMismatches('trailer', expected.trailers ?? {}, answer.trailers));
  if (took?.atLeast !== undefined && answer.took < took.atLeast) say('took', `${answer.took} ms`);
  if (took?.atMost !== undefined && answer.took > took.atMost) say('took', `${answer.took} ms`);
  const grpc = [...answer.trailers, ...answer.headers];
  if (grpcStatus !== undefined) say('grpc-status', textMismatch(String(grpcStatus), linesOf(grpc, 'grpc-status')));
  if (expected.grpcMessage !== undefined) say('grpc-message', textMismatch(expected.grpcMessage, linesOf(grpc, 'grpc-message')));
  if (expected.messages !== undefined) say('messages', textMismatch(expected.messages, answer.messages));
  if (expected.tls !== undefined) out.push(...tlsMismatches(expected.tls, answer.tls));
  return out;
}

function tlsMismatches(expected: TlsExpectation, seen: SeenTls | undefined): string[] {
  if (seen === undefined) return ['tls: no handshake'];
  return Object.entries(expected).flatMap(([field, value]) => {
    const one = seen[field as keyof SeenTls];
    const wrong = textMismatch(value as TextMatch, one === undefined ? undefined : String(one));
    return wrong === undefined ? [] : [`tls ${field}: ${wrong}`];
  });
}

/** The URI of the last certificate that `x-forwarded-client-cert` tells of. */
function principalOf({ headers }: Arrival): string | undefined {
  const last = linesOf(headers, 'x-forwarded-client-cert')?.join(',').split(',').at(-1);
  return last === undefined ? undefined : /(?:^|;)URI=([^;,]+)/.exec(last)?.[1];
}

/** @param arrival the last that reached a backend; undefined when nothing did */
export function arrivalMismatches(expected: NonNullable<Expectation['upstream']>, arrival: Arrival | undefined): string[] {
  if (arrival === undefined) return ['upstream: nothing arrived'];
  const { headers, length, principal, backend: _, ...parts } = expected;
  const out = Object.entries(parts).flatMap(([name, value]) => {
    const wrong = textMismatch(value, arrival[name as 'path']);
    return wrong === undefined ? [] : [`upstream ${name}: ${wrong}`];
  });
  const size = length === undefined ? undefined : countMismatch(length, arrival.body.length);
  if (size !== undefined) out.push(`upstream length: ${size}`);
  const caller = principal === undefined ? undefined : textMismatch(principal, principalOf(arrival));
  if (caller !== undefined) out.push(`upstream principal: ${caller}`);
  return [...out, ...fieldMismatches('upstream header', headers ?? {}, arrival.headers)];
}
