/**
 * Make before break on one stream (Envoy: "Eventual consistency considerations"): clusters, then their endpoints, then listeners, then routes;
 * what is gone goes when nothing leads there any more. Each step waits until the client has answered the one before.
 */
import type { Desired, ResourceSet } from './desired.ts';
import { type LastGood, type Plan, planOf } from './plan.ts';
import { RESOURCE_TYPES, type ResourceKind } from './resource-types.ts';
import type { Subscription } from './subscription.ts';

export interface Step {
  sub: Subscription;
  plan: Plan;
}

/** What must be encoded before it is known whether something of it is to be sent. */
export interface Encoding {
  encode: ResourceSet;
}

export interface ScheduleInput {
  protocol: 'sotw' | 'delta';
  subscriptions: ReadonlyMap<string, Subscription>;
  desired: Desired;
  lastGood(url: string): LastGood;
  isEncoded(set: ResourceSet): boolean;
  /** The client answers for listeners when it has their routes, as Envoy does for clusters and their endpoints. */
  routesWithListeners: boolean;
}

const ORDER: readonly (readonly ResourceKind[])[] = [['cluster', 'endpoint'], ['listener'], ['route']];
const ROUTES_WITH_LISTENERS: typeof ORDER = [
  ['cluster', 'endpoint'],
  ['listener', 'route'],
];

/** The set that a subscription is about; undefined for a type that is not served. */
export function wantedOf(desired: Desired, sub: Subscription): ResourceSet | undefined {
  return sub.type && desired.sets[sub.type.kind];
}

/**
 * The next response to send, if there is one that need not wait. Only what comes next has to be encoded: the client takes clusters while
 * routes are still encoded.
 */
export function nextStep(input: ScheduleInput): Step | Encoding | undefined {
  const { subscriptions, desired, protocol } = input;
  const plan = (sub: Subscription | undefined, removals: boolean): Step | Encoding | undefined => {
    if (sub === undefined || sub.inFlight) return undefined;
    const wanted = wantedOf(desired, sub);
    if (wanted !== undefined && !input.isEncoded(wanted)) return { encode: wanted };
    const found = planOf(sub, wanted, input.lastGood(sub.url), protocol, removals);
    return found && { sub, plan: found };
  };
  const of = (kind: ResourceKind): Subscription | undefined => subscriptions.get(RESOURCE_TYPES[kind].url);
  for (const sub of subscriptions.values()) {
    const free = sub.type === undefined || sub.type.kind === 'secret' || sub.type.kind === 'about';
    const step = free ? plan(sub, true) : undefined;
    if (step) return step;
  }
  // Envoy answers for clusters only when those that changed are warm, for which it needs their endpoints; so these wait for no answer.
  for (const kinds of input.routesWithListeners ? ROUTES_WITH_LISTENERS : ORDER) {
    for (const kind of kinds) {
      const step = plan(of(kind), kind === 'listener');
      if (step) return step;
    }
    if (kinds.some((kind) => of(kind)?.inFlight)) return undefined;
  }
  // Routes that were refused still lead to the clusters of before.
  if (of('listener')?.refused.size || of('route')?.refused.size) return undefined;
  for (const kind of ['cluster', 'endpoint', 'route'] as const) {
    const sub = of(kind);
    const step = plan(sub, true);
    if (step) return step;
    if (sub?.inFlight) return undefined;
  }
  return undefined;
}
