import { parseDuration } from '../../config/duration.ts';
import type { HTTPRoute, HTTPRouteRule } from '../../config/kinds/gateway-api.ts';
import type { HTTPRetry } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { HttpRule } from '../types.ts';
import { nowhere, resolveBackend } from './backends.ts';
import { type Fault, fault } from './conditions.ts';
import { type FilterContext, filterSettings, headerFilters } from './http-filters.ts';
import { httpMatch } from './http-match.ts';
import type { RuleEntry, TranslatedRules } from './rules.ts';

/** What the rules of a route are translated with. */
export type RouteInputs = Omit<FilterContext, 'route' | 'prefix' | 'faults'> & {
  /** The mesh's own retries, for routes that say nothing of theirs. */
  readonly retries: HTTPRetry | undefined;
};

type BackendRefs = HTTPRouteRule['backendRefs'];

/**
 * Where a rule's requests go. Invalid backends keep their share, which is answered 500; when nothing is left (or all weights are 0), all
 * requests are. https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (backendRefs)
 */
export function targets(refs: BackendRefs, path: FieldPath, context: FilterContext): Pick<HttpRule, 'route' | 'directResponse'> {
  const error = { directResponse: { status: 500 } };
  let reachable = false;
  const route = (refs ?? []).map((ref, i) => {
    const at = [...path, 'backendRefs', i];
    const weight = ref.weight ?? 1;
    const backend = resolveBackend(ref, context.route, at, context);
    if ('fault' in backend) context.faults.push(backend.fault);
    const other = (ref.filters ?? []).findIndex(({ type }) => type !== 'RequestHeaderModifier' && type !== 'ResponseHeaderModifier');
    if (other !== -1) {
      const { type } = ref.filters![other]!;
      const message = `filters of a single backend change headers only; ${type} is not carried out there: its share is answered 500`;
      context.faults.push(fault('Accepted', 'UnsupportedValue', [...at, 'filters', other, 'type'], message));
    }
    const usable = !('fault' in backend) && other === -1;
    if (usable && weight > 0) reachable = true;
    const headers = usable ? headerFilters(ref.filters) : undefined;
    return { destination: usable ? backend.destination : nowhere(ref, context.route), weight, ...(headers && { headers }) };
  });
  return reachable ? { route } : error;
}

/** Istio's number of retries, where a route gives none. */
const ATTEMPTS = 2;

function retriesOf({ retry, timeouts }: HTTPRouteRule, meshDefault: HTTPRetry | undefined): HTTPRetry | undefined {
  const perTryTimeout = limit(timeouts?.backendRequest);
  if (retry === undefined) return perTryTimeout === undefined ? undefined : { ...(meshDefault ?? { attempts: ATTEMPTS }), perTryTimeout };
  // Failures of the connection count besides the statuses that are named.
  const retryOn = ['connect-failure', 'refused-stream', 'reset', ...(retry.codes ?? []).map(String)].join(',');
  return {
    attempts: retry.attempts ?? ATTEMPTS,
    retryOn,
    ...(retry.backoff && { backoff: retry.backoff }),
    ...(perTryTimeout && { perTryTimeout }),
  };
}

/** `0s` is no limit. */
function limit(text: string | undefined): string | undefined {
  return text === undefined || parseDuration(text) === 0 ? undefined : text;
}

function timeLimits(rule: HTTPRouteRule, meshDefault: HTTPRetry | undefined): Pick<HttpRule, 'timeout' | 'retries'> {
  const retries = retriesOf(rule, meshDefault);
  const [request, backend] = [limit(rule.timeouts?.request), limit(rule.timeouts?.backendRequest)];
  // Without retries there is one try: its limit is the request's.
  const once = retries?.attempts === 0 ? backend : undefined;
  const timeout = [request, once].filter((t) => t !== undefined).sort((a, b) => parseDuration(a)! - parseDuration(b)!)[0];
  return { ...(timeout && { timeout }), ...(retries && { retries }) };
}

/** The name of a rule's routes in access logs: `<namespace>.<route>.<rule's name or number>`, as Istio has it. */
export function ruleName({ metadata }: Resource, rule: { name?: string }, i: number): string {
  return `${metadata.namespace}.${metadata.name}.${rule.name || i}`;
}

function prefixOf(rule: HTTPRouteRule): string {
  const path = rule.matches?.[0]?.path;
  return path?.value ?? '/';
}

/** The rules of an HTTPRoute, one entry for each match. */
export function httpRules(route: Resource<HTTPRoute>, inputs: RouteInputs): TranslatedRules {
  const faults: Fault[] = [];
  const entries = (route.spec.rules ?? []).flatMap((rule, i): RuleEntry[] => {
    const path = ['spec', 'rules', i];
    const context: FilterContext = { ...inputs, route, prefix: prefixOf(rule), faults };
    const { settings, refused } = filterSettings(rule.filters, path, context);
    const action = refused
      ? { directResponse: { status: 500 } }
      : settings.redirect === undefined
        ? targets(rule.backendRefs, path, context)
        : {};
    const made: HttpRule = {
      name: ruleName(route, rule, i),
      ...(refused ? {} : settings),
      ...action,
      ...('route' in action && timeLimits(rule, inputs.retries)),
      notFound: 500,
    };
    const matches = rule.matches?.length ? rule.matches : [undefined];
    return matches.map((match, j) => ({
      route,
      path,
      matchPath: match === undefined ? path : [...path, 'matches', j],
      match: match && httpMatch(match),
      rule: made,
      at: [i, j],
    }));
  });
  return { entries, faults };
}
