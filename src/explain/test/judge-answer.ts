import { percent } from '../percent.ts';
import type { HeaderLine, Outcome } from '../types.ts';
import { endsText, type Judged, SENT } from './judged.ts';
import { textMatches, textMatchText } from './text-match.ts';
import type { Expectation, HeaderMatches, TextMatch } from './types.ts';

/** What the client and the upstream get to see: status, redirect, body, headers, rewritten host and path. */
export function judgeAnswer(judged: Judged, { status, redirect, response, upstream, cors }: Expectation): void {
  const { outcomes, unfaulted } = judged;
  if (status !== undefined) {
    // Faults are apart, unless there is nothing else.
    const of = unfaulted.length > 0 ? unfaulted : outcomes;
    each(
      judged,
      of,
      ['status'],
      String(status),
      (o) => o.status === status,
      (o) => (o.status === undefined ? 'the upstream answers' : String(o.status)),
    );
  }
  if (redirect !== undefined) judgeRedirect(judged, redirect);
  if (response !== undefined) {
    headers(judged, unfaulted, ['response'], response, (o) => o.responseHeaders);
    const { body, grpcStatus } = response;
    if (body !== undefined)
      text(
        judged,
        unfaulted,
        ['response', 'body'],
        body,
        (o) => o.body ?? (o.status === undefined ? undefined : ''),
        'the upstream answers',
      );
    if (grpcStatus !== undefined)
      each(
        judged,
        unfaulted,
        ['response', 'grpcStatus'],
        String(grpcStatus),
        (o) => o.grpcStatus === grpcStatus,
        (o) => String(o.grpcStatus ?? 'none'),
      );
  }
  if (upstream !== undefined) judgeUpstream(judged, upstream);
  if (cors !== undefined) {
    const allows = (o: Outcome): boolean => o.responseHeaders.some(([name]) => name === 'access-control-allow-origin');
    each(
      judged,
      unfaulted,
      ['cors'],
      cors,
      (o) => allows(o) === (cors === 'allowed'),
      (o) => (allows(o) ? 'allowed' : 'not allowed: no access-control-allow-origin is added'),
    );
  }
}

function judgeRedirect(judged: Judged, { status, location }: NonNullable<Expectation['redirect']>): void {
  const { unfaulted, outcomes, mismatches } = judged;
  if (unfaulted.length === 0 || !unfaulted.every((o) => o.type === 'redirect')) {
    const expected = `a redirect${status === undefined ? '' : ` with ${status}`}${location === undefined ? '' : ` to ${textMatchText(location)}`}`;
    mismatches.push({ path: ['redirect'], expected, actual: endsText(outcomes) });
    return;
  }
  if (status !== undefined)
    each(
      judged,
      unfaulted,
      ['redirect', 'status'],
      String(status),
      (o) => o.status === status,
      (o) => String(o.status),
    );
  if (location !== undefined) text(judged, unfaulted, ['redirect', 'location'], location, (o) => o.location, 'none');
}

function judgeUpstream(
  judged: Judged,
  { method, host, path, headers: wanted, withoutHeaders }: NonNullable<Expectation['upstream']>,
): void {
  const { outcomes, mismatches } = judged;
  const sent = judged.unfaulted.filter((o) => o.upstream !== undefined && SENT.has(o.type));
  if (sent.length === 0) {
    mismatches.push({ path: ['upstream'], expected: 'a request to an upstream', actual: endsText(outcomes) });
    return;
  }
  if (method !== undefined) text(judged, sent, ['upstream', 'method'], method, (o) => o.upstream?.method, 'none');
  if (host !== undefined) text(judged, sent, ['upstream', 'host'], host, (o) => o.upstream?.authority, 'none');
  if (path !== undefined) text(judged, sent, ['upstream', 'path'], path, (o) => o.upstream?.path, 'none');
  headers(
    judged,
    sent,
    ['upstream'],
    { ...(wanted && { headers: wanted }), ...(withoutHeaders && { withoutHeaders }) },
    (o) => o.upstream?.headers ?? [],
  );
}

/** Reports one mismatch when not all outcomes are right, with what is wrong and how often. */
export function each(
  { mismatches, outcomes }: Judged,
  of: readonly Outcome[],
  path: Judged['mismatches'][number]['path'],
  expected: string,
  right: (outcome: Outcome) => boolean,
  actual: (outcome: Outcome) => string,
): void {
  if (of.length > 0 && of.every(right)) return;
  const shares = new Map<string, number>();
  for (const outcome of of) shares.set(actual(outcome), (shares.get(actual(outcome)) ?? 0) + outcome.share);
  const shown = shares.size === 1 ? [...shares.keys()][0]! : [...shares].map(([what, share]) => `${percent(share)} ${what}`).join(', ');
  mismatches.push({ path, expected, actual: shown || endsText(outcomes) });
}

function text(
  judged: Judged,
  of: readonly Outcome[],
  path: Judged['mismatches'][number]['path'],
  expected: TextMatch,
  value: (outcome: Outcome) => string | undefined,
  absent: string,
): void {
  const right = (o: Outcome): boolean => {
    const actual = value(o);
    return actual !== undefined && textMatches(expected, actual);
  };
  each(judged, of, path, textMatchText(expected), right, (o) => {
    const actual = value(o);
    return actual === undefined ? absent : JSON.stringify(actual);
  });
}

function headers(
  judged: Judged,
  of: readonly Outcome[],
  at: readonly string[],
  { headers: wanted = {}, withoutHeaders = [] }: { headers?: HeaderMatches; withoutHeaders?: readonly string[] },
  lines: (outcome: Outcome) => readonly HeaderLine[],
): void {
  const values = (o: Outcome, name: string): string[] => lines(o).flatMap(([n, value]) => (n === name.toLowerCase() ? [value] : []));
  const shown = (o: Outcome, name: string): string =>
    values(o, name)
      .map((value) => JSON.stringify(value))
      .join(' and ') || 'no such header';
  for (const [name, match] of Object.entries(wanted))
    each(
      judged,
      of,
      [...at, 'headers', name],
      textMatchText(match),
      (o) => values(o, name).some((value) => textMatches(match, value)),
      (o) => shown(o, name),
    );
  for (const [i, name] of withoutHeaders.entries())
    each(
      judged,
      of,
      [...at, 'withoutHeaders', i],
      `no header ${name}`,
      (o) => values(o, name).length === 0,
      (o) => shown(o, name),
    );
}
