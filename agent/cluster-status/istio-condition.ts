/** What is said of an object of Istio's kinds: one condition, `Reconciled`, the name that Istio gave it. */
import type { ProxySet } from './concerned.ts';
import type { Versioned } from './digest.ts';
import type { WantedCondition } from './live-object.ts';
import type { Refusal } from './summary.ts';

export const RECONCILED = 'Reconciled';

/** Reasons of the condition, see docs/status.md. */
export type ReconciledReason = 'Applied' | 'PartlyApplied' | 'NoProxies' | 'Pending' | 'Refused' | 'Invalid' | 'Blocked' | 'Unsupported';

/** What is known of an object. */
export interface ObjectFacts {
  /** As it is in the mesh, in the newest generation; undefined: the agents have another one, or none. */
  readonly current: Versioned | undefined;
  readonly proxies: ProxySet;
  /** Of this object. */
  readonly refusals: readonly Refusal[];
  /** Why it is not taken as it is now: what is wrong with it. */
  readonly invalid: readonly string[];
  /** The object that keeps the whole configuration from being taken, when it is another one. */
  readonly blockedBy: string | undefined;
  /** Why nothing is made of it at all. */
  readonly unsupported: string | undefined;
  /** What of it is not carried out. */
  readonly partly: readonly string[];
}

/** Names in a message. */
const FEW = 3;

/** A message may have 32,768 characters; people read a few hundred. */
const LONGEST = 1000;

function some(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  const more = unique.length - FEW;
  const text = unique.slice(0, FEW).join('; ') + (more > 0 ? `; and ${more} more` : '');
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** `3 of 4 proxies`. */
export const ofProxies = (some: number, all: number): string => `${some} of ${all} ${all === 1 ? 'proxy' : 'proxies'}`;

/** How many of a set have an object, and the names of some that have not. */
export function countTaken({ all, byState }: ProxySet, object: Versioned): { taken: number; all: number; without: string[] } {
  let taken = 0;
  const without: string[] = [];
  for (const [state, proxies] of byState) {
    if (state.has(object)) taken += proxies.length;
    else without.push(...proxies.slice(0, FEW + 1).map(({ name }) => name));
  }
  return { taken, all, without };
}

/** What is to be said; undefined: nothing yet, as the agents have not heard of it. */
export function reconciled(facts: ObjectFacts): WantedCondition | undefined {
  const say = (status: WantedCondition['status'], reason: ReconciledReason, message: string): WantedCondition => ({
    type: RECONCILED,
    status,
    reason,
    message,
  });
  const { current, proxies, refusals, invalid, blockedBy, unsupported, partly } = facts;
  if (invalid.length > 0) return say('False', 'Invalid', some(invalid));
  const whole = refusals.filter((r) => r.proxy === undefined);
  if (whole.length > 0) return say('False', 'Refused', some(whole.map((r) => r.message)));
  if (blockedBy !== undefined && current === undefined)
    return say('False', 'Blocked', `the whole configuration waits, because ${blockedBy} is refused`);
  if (refusals.length > 0) {
    const count = new Set(refusals.map((r) => r.proxy)).size;
    return say('False', 'Refused', `refused by ${count} ${count === 1 ? 'proxy' : 'proxies'}: ${some(refusals.map((r) => r.message))}`);
  }
  if (current === undefined) return undefined;
  if (unsupported !== undefined) return say('False', 'Unsupported', unsupported);
  const { taken, all, without } = countTaken(proxies, current);
  if (all === 0) return say('Unknown', 'NoProxies', 'it concerns none of the proxies that there are');
  const applied = `applied by ${ofProxies(taken, all)}`;
  if (taken < all) return say('False', 'Pending', `${applied}; not by ${some(without)}`);
  return partly.length === 0
    ? say('True', 'Applied', applied)
    : say('True', 'PartlyApplied', `${applied}; not carried out: ${some(partly)}`);
}
