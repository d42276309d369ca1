import type { GuardState } from './security/guard.ts';
import type { Dependence, Entry, NearMiss, Origin, Outcome, Step } from './types.ts';
import type { ProxyView } from './view.ts';

/** What is collected on a request's way. */
export interface Trace {
  readonly view: ProxyView;
  readonly entry: Entry['kind'];
  readonly steps: Step[];
  readonly nearMisses: NearMiss[];
  readonly unevaluated: { name: string; why: string; origin?: Origin }[];
  readonly dependsOn: Dependence[];
  readonly outcomes: Outcome[];
  readonly notes: string[];
  /** What is said of the request and cannot be known from configuration. The claims are those that the next proxy still gets. */
  readonly asked: Asked;
  /** How many proxies it has gone through before this one. */
  readonly hops: number;
  /** Something looked at a token's claims. */
  claimsRead: boolean;
}

export type Asked = Pick<GuardState, 'extAuthz' | 'now' | 'claims'>;

export function newTrace(view: ProxyView, entry: Entry['kind'], asked: Asked, hops = 0): Trace {
  return {
    view,
    entry,
    steps: [],
    nearMisses: [],
    unevaluated: [],
    dependsOn: [],
    outcomes: [],
    notes: [],
    asked,
    hops,
    claimsRead: false,
  };
}

/** Adds a step; `origin` and `outcome` are left out where there is none. */
export function addStep(
  trace: Trace,
  kind: Step['kind'],
  resource: string,
  decision: string,
  more: {
    effect?: Step['effect'];
    origin?: Origin | undefined;
    outcome?: string | undefined;
    policies?: Step['policies'] | undefined;
    details?: Step['details'];
  } = {},
): void {
  trace.steps.push({
    kind,
    resource,
    decision,
    effect: more.effect ?? 'passes',
    ...(more.origin !== undefined && { origin: more.origin }),
    ...(more.outcome !== undefined && { outcome: more.outcome }),
    ...(more.policies !== undefined && { policies: more.policies }),
    details: more.details ?? {},
  });
}

export function addDependence(trace: Trace, on: Dependence['on'], why: string): void {
  if (!trace.dependsOn.some((d) => d.on === on && d.why === why)) trace.dependsOn.push({ on, why });
}

/** An outcome that is not a route's, completed; all of it unless a share is given. */
export function endOutcome(type: Outcome['type'], summary: string, more: Partial<Omit<Outcome, 'type' | 'summary'>> = {}): Outcome {
  return {
    id: '1',
    type,
    share: 1,
    summary,
    responseHeaders: [],
    flags: '-',
    responseCodeDetails: '',
    mirrors: [],
    mayBecome: [],
    ...more,
  };
}
