/** What an ACK or a NACK means for a subscription. */
import type { ResourceSet } from './desired.ts';
import type { XdsResource } from './resource.ts';
import type { Held, InFlight, Subscription } from './subscription.ts';

/** The client has what was in flight. */
export function acknowledge(sub: Subscription, lastGood: Map<string, XdsResource>, now: number): void {
  const { version, changed, removed } = sub.inFlight as InFlight;
  sub.inFlight = undefined;
  sub.acked = { version, at: now };
  for (const resource of changed) {
    lastGood.set(resource.name, resource);
    sub.refused.delete(resource.name);
  }
  for (const name of removed) lastGood.delete(name);
  if (sub.trial.length > 0) sub.trial.shift();
  sub.cleanFor = undefined;
}

/**
 * The client refused what was in flight, and may have taken part of it. What is known to be refused is not sent again until it changes; the
 * rest of the response is sent anew. Where the reason names no resource, halves of the response find the culprit.
 *
 * @param wanted the set at that time
 * @param named the reason has a line `NAME: reason` for each resource that is refused, whatever its type
 */
export function refuse(
  sub: Subscription,
  reason: string,
  wanted: ResourceSet | undefined,
  lastGood: Map<string, XdsResource>,
  now: number,
  named = false,
): void {
  const { version, changed, before } = sub.inFlight as InFlight;
  sub.inFlight = undefined;
  sub.cleanFor = undefined;
  for (const resource of changed) restore(sub, resource, before.get(resource.name));
  const fresh = changed.filter((r) => lastGood.get(r.name) !== r || changed.length === 1);
  const culprits = fresh.length === 1 ? fresh : namedIn(reason, fresh, named);
  if (culprits.length > 0) {
    for (const resource of culprits) note(sub, resource, named ? lineOf(reason, resource.name) : reason, wanted, lastGood);
    if (sub.trial.length > 0 && fresh.length === 1) sub.trial.shift();
  } else if (fresh.length > 1) {
    const names = fresh.map((r) => r.name);
    const half = names.length >> 1;
    sub.trial.splice(0, sub.trial.length > 0 ? 1 : 0, names.slice(0, half), names.slice(half));
  }
  sub.nack = { version, reason, resources: (culprits.length > 0 ? culprits : fresh).map((r) => r.name), at: now };
  // The client's own state cannot be written down here, and a whole state without it would take it away.
  const unknown = sub.resumed && culprits.some((r) => !lastGood.has(r.name));
  if (fresh.length === 0 || unknown) sub.heldFor = wanted;
}

function note(
  sub: Subscription,
  resource: XdsResource,
  reason: string,
  wanted: ResourceSet | undefined,
  lastGood: Map<string, XdsResource>,
): void {
  const { name, version } = resource;
  // What was good is not any more (a port that is taken by now), and is not tried in turn with what is wanted.
  if (lastGood.get(name) === resource && wanted?.get(name) !== resource) lastGood.delete(name);
  else sub.refused.set(name, { version, reason });
}

function restore(sub: Subscription, { name, version }: XdsResource, held: Held | undefined): void {
  // The client has lost interest meanwhile.
  if (!sub.sent.has(name)) return;
  if (held === undefined) sub.sent.delete(name);
  else sub.sent.set(name, held);
  // It was asked for though the client had it.
  if (held?.version === version) sub.forced.add(name);
}

/** Envoy lists what it refuses of a list of clusters or listeners as `NAME: reason`. */
function namedIn(reason: string, resources: readonly XdsResource[], named: boolean): XdsResource[] {
  return resources.filter(({ type, name }) => {
    if (named) return lineOf(reason, name) !== reason || reason.startsWith(`${name}: `);
    if (!type.whole) return false;
    for (let at = reason.indexOf(`${name}: `); at >= 0; at = reason.indexOf(`${name}: `, at + 1))
      if (at === 0 || /[\s,]/.test(reason[at - 1]!)) return true;
    return false;
  });
}

/** What is said of one resource; all of it when there is no line of its own. */
function lineOf(reason: string, name: string): string {
  const line = reason.split('\n').find((l) => l.startsWith(`${name}: `));
  return line === undefined ? reason : line.slice(name.length + 2);
}
