import { FairleadError } from '../errors.ts';
import type { Check, CheckResult, DoctorReport, Outcome } from './types.ts';

export interface RunOptions {
  /** Ids, or groups: what stands before the slash. */
  readonly skip: readonly string[];
  /** Milliseconds, for times that checks took. */
  now(): number;
  /** Told before each. */
  progress?(check: { readonly id: string; readonly what: string }): void;
}

/**
 * Runs checks in their order. One whose cause failed is skipped and says which; one that is skipped because it was asked for is no cause.
 * A FairleadError that a probe throws is a failed check; anything else is a check that could not be run, and the others go on.
 */
export async function runChecks<Probes>(checks: readonly Check<Probes>[], probes: Probes, options: RunOptions): Promise<DoctorReport> {
  const results: CheckResult[] = [];
  const bad = new Map<string, string>();
  for (const check of checks) {
    const { id, what, why } = check;
    const base = { id, what, why, details: [] };
    const cause = check.after?.find((other) => bad.has(other));
    if (isSkipped(id, options.skip)) {
      results.push({ ...base, state: 'skipped', message: 'skipped, as asked for', took: 0 });
    } else if (cause !== undefined) {
      const root = bad.get(cause) as string;
      bad.set(id, root);
      results.push({ ...base, state: 'skipped', message: `not looked at: ${root} failed`, cause: root, took: 0 });
    } else {
      options.progress?.(check);
      const result = await runOne(check, probes, options.now);
      if (result.state === 'failed' || result.state === 'broken') bad.set(id, id);
      results.push(result);
    }
  }
  const is = (state: CheckResult['state']): boolean => results.some((r) => r.state === state);
  return { version: 1, result: is('broken') ? 'broken' : is('failed') ? 'failed' : 'ok', checks: results };
}

export const isSkipped = (id: string, skip: readonly string[]): boolean => skip.includes(id) || skip.includes(id.split('/')[0] as string);

async function runOne<Probes>(check: Check<Probes>, probes: Probes, now: () => number): Promise<CheckResult> {
  const { id, what, why } = check;
  const started = now();
  const base = (outcome: Outcome) => ({
    id,
    what,
    why,
    message: outcome.message,
    details: (outcome.state === 'nothing' ? undefined : outcome.details) ?? [],
    took: Math.round(now() - started),
  });
  try {
    const outcome = await check.run(probes);
    if (outcome.state !== 'failed') return { ...base(outcome), state: outcome.state };
    const state = (outcome.severity ?? check.severity) === 'warning' ? 'warning' : 'failed';
    return { ...base(outcome), state, next: outcome.next ?? check.next };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof FairleadError))
      return { ...base({ state: 'nothing', message: `it could not be run: ${message}` }), state: 'broken', next: check.next };
    const state = check.severity === 'warning' ? 'warning' : 'failed';
    return { ...base({ state: 'nothing', message }), state, next: error.next ?? check.next };
  }
}
