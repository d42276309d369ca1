/** Holds an explanation against what a test expects. Explanations decide everything: nothing is matched here. */
import { percent } from '../percent.ts';
import type { Destination, Explanation, Outcome } from '../types.ts';
import { judgeEnvoyHeaders } from './envoy-headers.ts';
import { judgeAccess } from './judge-access.ts';
import { judgeAnswer } from './judge-answer.ts';
import { judgeWay } from './judge-way.ts';
import { endsText, type Judged, type Mismatch } from './judged.ts';
import { isTarget, targetText } from './target.ts';
import type { Expectation, Target } from './types.ts';

/** Everything that is not as expected; nothing when the test holds. */
export function judge(explanation: Explanation, expect: Expectation): Mismatch[] {
  const { outcomes } = explanation;
  const judged: Judged = { explanation, outcomes, unfaulted: outcomes.filter((o) => o.type !== 'aborted'), mismatches: [] };
  judgeDestination(judged, expect);
  judgeNames(judged, expect);
  judgeAnswer(judged, expect);
  judgeWay(judged, expect);
  judgeAccess(judged, expect);
  judgeEnvoyHeaders(judged, expect);
  return judged.mismatches;
}

const isAt = (target: Target, outcome: Outcome): boolean => outcome.type === 'forward' && isTarget(target, placeOf(outcome.destination));

/** What looks names up has no service: the host it is asked for stands for it. */
const placeOf = (destination: Destination | undefined): Pick<Destination, 'service' | 'subset' | 'port'> => destination ?? {};

function judgeDestination({ outcomes, unfaulted, mismatches }: Judged, { destination, split }: Expectation): void {
  if (destination !== undefined) {
    const target = typeof destination === 'string' ? { host: destination } : destination;
    if (unfaulted.length === 0 || !unfaulted.every((o) => isAt(target, o)))
      mismatches.push({ path: ['destination'], expected: targetText(target), actual: endsText(outcomes) });
  }
  if (split === undefined) return;
  const total = split.reduce((n, { weight }) => n + weight, 0);
  const sent = unfaulted.reduce((n, { share }) => n + share, 0);
  const shareOf = (target: Target): number => unfaulted.filter((o) => isAt(target, o)).reduce((n, o) => n + o.share, 0) / (sent || 1);
  const known = unfaulted.every((o) => split.some((target) => isAt(target, o)));
  // Shares of runtime fractions are exact to a millionth.
  if (!known || split.some((target) => Math.abs(shareOf(target) - target.weight / total) > 0.000_01)) {
    const expected = split.map((target) => `${percent(target.weight / total)} ${targetText(target)}`).join(', ');
    mismatches.push({ path: ['split'], expected, actual: endsText(unfaulted.length > 0 ? unfaulted : outcomes) });
  }
}

/** Envoy's names, which all outcomes must have. */
function judgeNames({ outcomes, unfaulted, mismatches }: Judged, { cluster, route, virtualHost, outcome }: Expectation): void {
  const all = (field: string, expected: string | undefined, of: readonly Outcome[], name: (o: Outcome) => string): void => {
    if (expected === undefined) return;
    const actual = [...new Set(of.map(name))];
    if (actual.length === 1 && actual[0] === expected) return;
    const shown = actual.map((text) => (text === '' ? 'none' : text)).join(', ') || endsText(outcomes);
    mismatches.push({ path: [field], expected: expected === '' ? 'none' : expected, actual: shown });
  };
  all('cluster', cluster, unfaulted, (o) => o.destination?.cluster ?? '');
  all('route', route, outcomes, (o) => o.route ?? '');
  all('virtualHost', virtualHost, outcomes, (o) => o.virtualHost ?? '');
  all('outcome', outcome, outcome === 'aborted' ? outcomes : unfaulted, (o) => o.type);
}
