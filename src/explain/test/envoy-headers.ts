import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { compileHeaderMatcher } from '../../routing/header-matcher.ts';
import { ProblemList } from '../../routing/problems.ts';
import { toWire } from '../../routing/wire-text.ts';
import type { HeaderLine, Outcome } from '../types.ts';
import { endsText, type Judged } from './judged.ts';
import type { Expectation } from './types.ts';

/** HeaderMatchers of Envoy's own tests, by the code that matches headers of routes. Pseudo headers are those of the request that goes upstream. */
export function judgeEnvoyHeaders(judged: Judged, { envoyRequestHeaders, envoyResponseHeaders, envoyNone = {} }: Expectation): void {
  for (const field of Object.keys(envoyNone)) {
    // Envoy's tool: there is no rewrite without a route to an upstream, and no redirect with one.
    const there = judged.unfaulted.filter((o) => (field.endsWith('_rewrite') ? o.upstream !== undefined : o.type === 'redirect'));
    if (there.length > 0) judged.mismatches.push({ path: [field], expected: 'none', actual: endsText(there) });
  }
  if (envoyRequestHeaders !== undefined) {
    const lines = ({ upstream }: Outcome): readonly HeaderLine[] =>
      upstream === undefined
        ? (judged.explanation.request?.headers ?? [])
        : [
            [':method', upstream.method],
            [':path', upstream.path],
            [':authority', upstream.authority],
            ['host', upstream.authority],
            ...upstream.headers,
          ];
    hold(judged, 'request_header_matches', envoyRequestHeaders, lines);
  }
  if (envoyResponseHeaders !== undefined) hold(judged, 'response_header_matches', envoyResponseHeaders, (o) => o.responseHeaders);
}

function hold(
  { unfaulted, outcomes, mismatches }: Judged,
  field: string,
  matchers: readonly HeaderMatcherJson[],
  lines: (o: Outcome) => readonly HeaderLine[],
): void {
  for (const [i, json] of matchers.entries()) {
    const matcher = compileHeaderMatcher(json, '', '', new ProblemList());
    const valuesOf = (o: Outcome, name: string): string[] => lines(o).flatMap(([n, value]) => (n === name ? [toWire(value)] : []));
    const right = (o: Outcome): boolean =>
      matcher.testHeaders({ header: (name) => valuesOf(o, name)[0], headerValues: (name) => valuesOf(o, name) });
    if (unfaulted.length > 0 && unfaulted.every(right)) continue;
    const wrong = unfaulted.find((o) => !right(o));
    const found = wrong === undefined ? [] : valuesOf(wrong, (json.name ?? '').toLowerCase());
    const actual = wrong === undefined ? endsText(outcomes) : found.map((value) => JSON.stringify(value)).join(' and ') || 'no such header';
    mismatches.push({ path: [field, i], expected: matcher.describe(), actual });
  }
}
