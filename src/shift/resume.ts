/** Where a shift begins: with the split that the file has, or where one that was killed left off. */
import type { HTTPRouteDestination } from '../config/kinds/networking.ts';
import type { Share } from '../edit/routes/split.ts';
import type { JournalEntry } from './journal.ts';
import { asPercent, isSameSplit, sharesAt } from './shares.ts';

export interface ShiftStart {
  /** What a restore goes back to: the shares, and the destinations as they stood in the file. */
  before: readonly Share[];
  destinations: readonly HTTPRouteDestination[];
  /** Milliseconds since 1970. */
  startedAt: number;
  /** The share that the file has by an earlier shift, percent; undefined: this one is new. */
  reached?: number;
  /** The steps that are left. */
  steps: readonly number[];
}

/**
 * The journal is written before the file, so after a kill the file has the split of the journal's share or of the one before it. With
 * any other, also the one from before the first step, the shift is new.
 *
 * @param now the route as the file has it
 */
export function startOf(
  left: JournalEntry | undefined,
  to: string,
  now: { shares: readonly Share[]; destinations: readonly HTTPRouteDestination[] },
  steps: readonly number[],
): ShiftStart {
  const has = (percent: number | undefined): boolean =>
    left !== undefined &&
    percent !== undefined &&
    isSameSplit(sharesAt(asPercent(left.before), { host: undefined, subset: to }, percent), now.shares);
  if (left === undefined || left.to !== to || !(has(left.percent) || has(left.previous)))
    return { before: now.shares, destinations: now.destinations, startedAt: Date.now(), steps };
  const { before, destinations, startedAt, percent, previous } = left;
  // A step that was set has to be watched again; the one before it had passed.
  return has(percent)
    ? { before, destinations, startedAt, reached: percent, steps: steps.filter((step) => step >= percent) }
    : { before, destinations, startedAt, reached: previous!, steps: steps.filter((step) => step > previous!) };
}
