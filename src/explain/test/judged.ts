import type { FieldPath } from '../../config/resource.ts';
import { clusterText } from '../cluster-text.ts';
import { percent } from '../percent.ts';
import type { Explanation, Outcome } from '../types.ts';

/** Something that is not as expected. */
export interface Mismatch {
  /** Below `expect`. */
  readonly path: FieldPath;
  readonly expected: string;
  readonly actual: string;
}

/** What judges share: the outcomes, with and without injected faults. */
export interface Judged {
  readonly explanation: Explanation;
  readonly outcomes: readonly Outcome[];
  /** Those that are no injected abort. */
  readonly unfaulted: readonly Outcome[];
  readonly mismatches: Mismatch[];
}

/** Outcomes with a request that goes upstream, or would. */
export const SENT: ReadonlySet<string> = new Set(['forward', 'passthrough', 'no-endpoints', 'blackhole']);

/** Where an outcome leads, or how it ends, for people. */
export function endText({ type, destination, summary, share }: Outcome, several: boolean): string {
  const where = (type === 'forward' || type === 'passthrough') && destination !== undefined ? clusterText(destination.cluster) : summary;
  return several ? `${percent(share)} ${where}` : where;
}

/** All of them, with their shares. */
export const endsText = (outcomes: readonly Outcome[]): string => outcomes.map((o) => endText(o, outcomes.length > 1)).join(', ');
