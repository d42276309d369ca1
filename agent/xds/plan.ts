/** What to send next to one subscription. */
import type { ResourceSet } from './desired.ts';
import type { XdsResource } from './resource.ts';
import type { Held, Subscription } from './subscription.ts';

export interface Plan {
  /** In the order of the wanted set. */
  changed: readonly XdsResource[];
  removed: readonly string[];
  /** State of the world, whole types: all that the client is to have. */
  whole?: readonly XdsResource[];
}

/** The last version of each resource that a client of this proxy took. */
export type LastGood = ReadonlyMap<string, XdsResource>;

const NOTHING: ResourceSet = new Map();

/** What the client should have of a name; `keep`: what it has, which may not be known here. */
function targetOf(sub: Subscription, want: XdsResource | undefined, name: string, lastGood: LastGood): XdsResource | undefined | 'keep' {
  if (want === undefined) return undefined;
  if (want.error !== undefined) noteBroken(sub, want, want.error);
  if (sub.refused.get(name)?.version !== want.version) return want;
  const good = lastGood.get(name);
  return good === undefined || good.version === want.version ? 'keep' : good;
}

/** It cannot even be sent. */
function noteBroken(sub: Subscription, { type, name, version }: XdsResource, error: string): void {
  if (sub.refused.get(name)?.version === version) return;
  const reason = `it is no ${type.message}: ${error}`;
  sub.refused.set(name, { version, reason });
  sub.nack = { version, reason, resources: [name], at: Date.now() };
}

function* wantedNames(sub: Subscription, wanted: ResourceSet): Iterable<string> {
  if (sub.wildcard) yield* wanted.keys();
  for (const name of sub.names) if (!(sub.wildcard && wanted.has(name))) yield name;
}

/**
 * The next response, or undefined when the client has all it should have.
 *
 * @param removals whether what is gone may be taken away now; make before break takes clusters away when no route leads to them any more
 */
export function planOf(
  sub: Subscription,
  wanted: ResourceSet = NOTHING,
  lastGood: LastGood,
  protocol: 'sotw' | 'delta',
  removals: boolean,
): Plan | undefined {
  if (sub.inFlight !== undefined || (sub.heldFor !== undefined && sub.heldFor === wanted)) return undefined;
  if (sub.cleanFor === wanted) return undefined;
  sub.heldFor = undefined;
  const changed: XdsResource[] = [];
  const removed: string[] = [];
  const turn = turnOf(sub);
  for (const name of wantedNames(sub, wanted)) {
    const target = targetOf(sub, wanted.get(name), name, lastGood);
    if (target === 'keep' || (turn && !turn.has(name))) continue;
    const held = sub.sent.get(name);
    if (target !== undefined) {
      const again = sub.forced.has(name) || (sub.recalls && sub.refused.has(name) && sub.refused.get(name)?.version !== target.version);
      if (again || !same(held, target)) changed.push(target);
    } else if (held !== undefined || sub.forced.has(name)) removed.push(name);
  }
  if (sub.wildcard) {
    for (const name of sub.sent.keys()) if (!wanted.has(name) && !sub.names.has(name)) removed.push(name);
    for (const name of sub.forced) if (!wanted.has(name) && !sub.names.has(name) && !sub.sent.has(name)) removed.push(name);
  }
  if (sub.recalls) for (const name of sub.refused.keys()) if (!wanted.has(name) && !removed.includes(name)) removed.push(name);
  // A name that never was there is answered at once; taking something away waits for its time.
  const due = removals ? removed : removed.filter((name) => !sub.sent.has(name));
  const gone = protocol === 'sotw' && !sub.type?.whole ? unsaid(sub, due) : due;
  if (changed.length === 0 && gone.length === 0 && !sub.owed) {
    if (sub.trial.length > 0) {
      sub.trial.shift();
      return planOf(sub, wanted, lastGood, protocol, removals);
    }
    if (due.length === removed.length) sub.cleanFor = wanted;
    return undefined;
  }
  if (protocol === 'sotw' && sub.type?.whole) return { changed, removed: gone, whole: wholeOf(sub, wanted, lastGood, removals) };
  return { changed, removed: gone };
}

/** State of the world has no word for these; should they come back, they are new. */
function unsaid(sub: Subscription, names: readonly string[]): readonly string[] {
  for (const name of names) {
    sub.sent.delete(name);
    sub.forced.delete(name);
  }
  return [];
}

/** Names whose turn it is while a culprit is looked for; undefined otherwise. */
function turnOf(sub: Subscription): ReadonlySet<string> | undefined {
  return sub.trial.length === 0 ? undefined : new Set(sub.trial[0]);
}

function same(held: Held | undefined, target: XdsResource): boolean {
  return held !== undefined && (held.resource === target || held.version === target.version);
}

function wholeOf(sub: Subscription, wanted: ResourceSet, lastGood: LastGood, removals: boolean): XdsResource[] {
  const all: XdsResource[] = [];
  const turn = turnOf(sub);
  for (const name of wantedNames(sub, wanted)) {
    const target = targetOf(sub, wanted.get(name), name, lastGood);
    const keeps = target === 'keep' || (turn && !turn.has(name));
    const resource = keeps ? (sub.sent.get(name)?.resource ?? lastGood.get(name)) : target;
    if (resource !== undefined) all.push(resource);
  }
  if (!removals) for (const [name, held] of sub.sent) if (!wanted.has(name) && held.resource !== undefined) all.push(held.resource);
  return all;
}
