import type { LiveCondition, WantedCondition } from './live-object.ts';

/** Counts change with every pod: where all is well another number is no reason for thousands of writes. */
const COUNTS = /\b\d+ of \d+ prox(?:y|ies)\b/g;

function sameText(status: string, live: string | undefined, wanted: string, exact: boolean): boolean {
  const text = live ?? '';
  return text === wanted || (!exact && status === 'True' && text.replace(COUNTS, '') === wanted.replace(COUNTS, ''));
}

/**
 * Whether a condition says already what it is to say of this generation.
 *
 * @param exact with the very counts
 */
export function isSaid(live: LiveCondition | undefined, wanted: WantedCondition, generation: number, exact = false): boolean {
  return (
    live !== undefined &&
    live.status === wanted.status &&
    live.reason === wanted.reason &&
    String(live.observedGeneration) === String(generation) &&
    sameText(wanted.status, live.message, wanted.message, exact)
  );
}

/**
 * The conditions as they are to be written: `lastTransitionTime` changes with `status` alone, and what is said already stays as it is. undefined
 * when nothing changes.
 *
 * @param now as RFC 3339, in seconds
 * @param exact also when only counts are others
 */
export function mergeConditions(
  live: readonly LiveCondition[],
  wanted: readonly WantedCondition[],
  generation: number,
  now: string,
  exact = false,
): LiveCondition[] | undefined {
  let changed = false;
  const merged = wanted.map((condition): LiveCondition => {
    const before = live.find(({ type }) => type === condition.type);
    if (before !== undefined && isSaid(before, condition, generation, exact)) return before;
    changed = true;
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, observedGeneration: generation, lastTransitionTime: since ?? now };
  });
  return changed ? merged : undefined;
}

/** The time in the form of conditions. */
export const conditionTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
