/** Requests that end otherwise after a change. */

import { shownDuration } from '../explain/duration.ts';
import { explainRequest } from '../explain/explain.ts';
import { percent } from '../explain/percent.ts';
import type { ExplainRequest, Explanation, Outcome } from '../explain/types.ts';
import type { ProxyView } from '../explain/view.ts';

/** One way in which a request can end that came, went or is another one now. */
export interface OutcomeChange {
  change: 'added' | 'removed' | 'changed';
  /** `forwarded to reviews.default.svc.cluster.local:9080 subset v2`. */
  outcome: string;
  /** What about it differs; for one that came or went, its share alone. */
  facets: readonly { what: string; before: string | undefined; after: string | undefined }[];
}

/** A request whose fate differs. */
export interface BehaviourChange {
  /** `GET http://reviews:9080/api, end-user: jason`. */
  request: string;
  changes: readonly OutcomeChange[];
  proxies: readonly string[];
}

/** Those of the requests whose outcome differs between two views of a proxy. */
export function behaviourChanges(
  proxy: string,
  before: ProxyView,
  after: ProxyView,
  requests: readonly ExplainRequest[],
): BehaviourChange[] {
  return requests.flatMap((request) => {
    const changes = outcomeChanges(explainRequest(before, request), explainRequest(after, request));
    return changes.length === 0 ? [] : [{ request: nameOf(request), changes, proxies: [proxy] }];
  });
}

/** The same change on several proxies is told once. */
export function mergeBehaviour(found: readonly BehaviourChange[]): BehaviourChange[] {
  const merged = new Map<string, BehaviourChange & { proxies: string[] }>();
  for (const change of found) {
    const key = JSON.stringify([change.request, change.changes]);
    const known = merged.get(key);
    if (known) known.proxies.push(...change.proxies.filter((proxy) => !known.proxies.includes(proxy)));
    else merged.set(key, { ...change, proxies: [...change.proxies] });
  }
  return [...merged.values()];
}

function nameOf({ method, url, headers = [] }: ExplainRequest): string {
  return [`${method} ${url}`, ...headers.map(([name, value]) => `${name}: ${value}`)].join(', ');
}

function outcomeChanges(before: Explanation, after: Explanation): OutcomeChange[] {
  const old = new Map(before.outcomes.map((outcome) => [outcome.summary, outcome]));
  const changes: OutcomeChange[] = [];
  for (const outcome of after.outcomes) {
    const previous = old.get(outcome.summary);
    old.delete(outcome.summary);
    if (previous === undefined)
      changes.push({
        change: 'added',
        outcome: outcome.summary,
        facets: [{ what: 'share', before: undefined, after: percent(outcome.share) }],
      });
    else {
      const facets = facetChanges(previous, outcome);
      if (facets.length > 0) changes.push({ change: 'changed', outcome: outcome.summary, facets });
    }
  }
  const gone = [...old.values()].map(
    (outcome): OutcomeChange => ({
      change: 'removed',
      outcome: outcome.summary,
      facets: [{ what: 'share', before: percent(outcome.share), after: undefined }],
    }),
  );
  return [...gone, ...changes];
}

function facetChanges(before: Outcome, after: Outcome): OutcomeChange['facets'] {
  const [was, is] = [facetsOf(before), facetsOf(after)];
  return Object.keys(was)
    .filter((what) => was[what] !== is[what])
    .map((what) => ({ what, before: was[what], after: is[what] }));
}

/** Everything about an outcome that a caller or an upstream would notice. */
function facetsOf({
  share,
  status,
  body,
  location,
  responseHeaders,
  upstream,
  timeouts,
  retries,
  delay,
  mirrors,
  destination,
  hash,
}: Outcome): Record<string, string | undefined> {
  const names = (lines: readonly (readonly [string, string])[] | undefined): string | undefined =>
    lines?.map(([name, value]) => `${name}: ${value}`).join(', ');
  return {
    share: percent(share),
    status: status?.toString(),
    location,
    body,
    'answer headers': names(responseHeaders),
    path: upstream?.path,
    host: upstream?.authority,
    method: upstream?.method,
    headers: names(upstream?.headers.filter(([name]) => name !== 'x-envoy-expected-rq-timeout-ms')),
    timeout: timeouts && (timeouts.total === 0 ? 'none' : shownDuration(timeouts.total)),
    retries:
      retries &&
      `${retries.attempts} on ${[...retries.on, ...retries.statusCodes].join(', ')}${retries.perTryTimeout > 0 ? `, ${shownDuration(retries.perTryTimeout)} each` : ''}`,
    delay: delay && `${shownDuration(delay.ms)} for ${percent(delay.share)}`,
    mirrors: mirrors.map((m) => `${m.cluster} ${percent(m.share)}`).join(', ') || undefined,
    transport: destination && `${destination.transport}${destination.sni ? ` as ${destination.sni}` : ''}`,
    balancing: destination?.balancing,
    hash: hash?.policies.join(', '),
  };
}
