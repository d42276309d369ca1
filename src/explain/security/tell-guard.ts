import { addDependence, addStep, type Trace } from '../trace.ts';
import type { NearMiss } from '../types.ts';
import type { GuardVerdict } from './guard.ts';
import { policyOf, policyText } from './policy-of.ts';
import type { RuleMiss } from './rule-misses.ts';

/** More would not be read. */
const MOST = 8;

/** Puts into steps, notes and near misses what a filter that guards does; once, however many ways go through it. */
export function tellGuard(trace: Trace, name: string, verdict: GuardVerdict, outcome: string | undefined): void {
  for (const note of verdict.notes ?? []) if (!trace.notes.includes(note)) trace.notes.push(note);
  if (verdict.kind === 'silent') return;
  const effect = { 'lets-pass': 'passes', denies: 'stops', assumed: 'unknown', unevaluated: 'unknown' } as const;
  const text = verdict.kind === 'unevaluated' ? `not evaluated: ${verdict.why}` : verdict.why;
  const { policies } = verdict;
  if (!trace.steps.some((s) => s.kind === 'filter' && s.resource === name && s.decision === text))
    addStep(trace, 'filter', name, text, {
      effect: effect[verdict.kind],
      outcome,
      origin: verdict.origin ?? policies?.[0]?.origin,
      policies,
    });
  if (verdict.kind === 'unevaluated' || verdict.kind === 'assumed') {
    const why = verdict.kind === 'assumed' ? verdict.depends : verdict.why;
    if (!trace.unevaluated.some((u) => u.name === name && u.why === why)) trace.unevaluated.push({ name, why });
    addDependence(
      trace,
      'unevaluated',
      verdict.kind === 'assumed' ? why : `the filter ${name} is not evaluated; it is taken to let it pass`,
    );
  }
  for (const miss of (verdict.misses ?? []).slice(0, MOST)) {
    const near = nearMiss(trace, name, miss);
    if (!trace.nearMisses.some((n) => n.message === near.message)) trace.nearMisses.push(near);
  }
}

function nearMiss({ view }: Trace, filter: string, { policy, field, expected, actual, held, failed, conditions }: RuleMiss): NearMiss {
  const found = policyOf(policy, 'ALLOW', view.locator);
  const { origin } = found;
  const none = expected === 'not (anything)' || expected.startsWith('nothing');
  const message = none
    ? `AuthorizationPolicy ${policyText({ ...found })} has no rules: it allows nothing`
    : `AuthorizationPolicy ${policyText(found)} asks that ${conditions.map((c) => (c.actual === '' ? c.expected : `${c.expected} (here: ${c.actual})`)).join(' and ')}`;
  return {
    kind: 'policy',
    resource: policyText(found),
    message,
    field: `${filter}: rules.${field}`,
    expected,
    actual,
    held,
    decisive: failed === 1 && !none,
    ...(origin !== undefined && { origin }),
  };
}
