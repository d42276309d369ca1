import type {
  RouteActionJson,
  RouteJson,
  WeightedCluster_ClusterWeightJson,
} from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { HTTPRouteDestination } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { HttpRule } from '../../mesh/types.ts';
import { routeHashPolicies } from '../clusters/hash-policy.ts';
import { envoyDuration } from '../duration.ts';
import type { RouteContext } from './context.ts';
import { type ResolvedDestination, resolveDestination } from './destination.ts';
import { authorityOf, type HeaderLists, headerLists } from './headers.ts';
import { mirrorPolicies } from './mirror.ts';
import { directResponseAction, redirectAction } from './redirect.ts';
import { retryPolicy } from './retry.ts';

type Action = Pick<RouteJson, 'route' | 'redirect' | 'directResponse'> & HeaderLists;

/** `timeout: 0s` turns Envoy's 15 s off: Istio has no limit unless a rule sets one. */
export function timeouts(timeout: string | undefined): Pick<RouteActionJson, 'timeout' | 'maxGrpcTimeout'> {
  const text = envoyDuration((timeout === undefined ? undefined : parseDuration(timeout)) ?? 0);
  return { timeout: text, maxGrpcTimeout: text };
}

function rewrites(rule: HttpRule, single: HTTPRouteDestination | undefined): Partial<RouteActionJson> {
  const { uri, uriRegexRewrite, authority } = rule.rewrite ?? {};
  const host = authority || authorityOf(rule.headers) || authorityOf(single?.headers);
  return {
    ...(uri && { prefixRewrite: uri }),
    ...(uriRegexRewrite && {
      regexRewrite: { pattern: { regex: uriRegexRewrite.match ?? '' }, substitution: uriRegexRewrite.rewrite ?? '' },
    }),
    ...(host && { hostRewriteLiteral: host }),
  };
}

function weightedCluster(target: HTTPRouteDestination, { cluster }: ResolvedDestination): WeightedCluster_ClusterWeightJson {
  const host = authorityOf(target.headers);
  return { name: cluster, weight: target.weight ?? 0, ...headerLists(target.headers), ...(host && { hostRewriteLiteral: host }) };
}

function forwardAction(context: RouteContext, rule: HttpRule, from: Resource): Action {
  const targets = rule.route ?? [];
  const single = targets.length === 1 ? targets[0] : undefined;
  // Weight 0 takes nothing; Envoy needs no entry for it. A single destination counts whatever its weight.
  const used = single ? targets : targets.filter((t) => (t.weight ?? 0) > 0);
  const resolved = used.map((t) => resolveDestination(context, t.destination, from, context.listenPort));
  const hashPolicy = resolved.flatMap(({ service, subset, port }) =>
    routeHashPolicies(context.scope, service, subset || undefined, { number: port }),
  );
  const retry = retryPolicy(rule.retries, context.mesh.config.defaultHttpRetryPolicy, single !== undefined && hashPolicy.length > 0);
  const mirrors = mirrorPolicies(context, rule, from);
  const route: RouteActionJson = {
    ...(single
      ? { cluster: resolved[0]!.cluster }
      : { weightedClusters: { clusters: used.map((t, i) => weightedCluster(t, resolved[i]!)) } }),
    ...rewrites(rule, single),
    ...timeouts(rule.timeout),
    ...(retry && { retryPolicy: retry }),
    ...(mirrors.length > 0 && { requestMirrorPolicies: mirrors }),
    ...(hashPolicy.length > 0 && { hashPolicy }),
    ...(rule.notFound === 500 && { clusterNotFoundResponseCode: 'INTERNAL_SERVER_ERROR' as const }),
  };
  return { route, ...headerLists(rule.headers, single?.headers) };
}

/**
 * What is done with requests that match: Istio's order is redirect, direct response, route. undefined: the rule does none of them
 * in a way that Envoy could carry out (a redirect with an impossible status, no destination with a weight).
 *
 * @param from the resource that wrote the rule (a delegate's own), whose namespace completes short names
 */
export function routeAction(context: RouteContext, rule: HttpRule, from: Resource): Action | undefined {
  if (rule.redirect) {
    const redirect = redirectAction(rule.redirect, context.listenPort, rule.redirectRegex);
    return redirect && { redirect, ...headerLists(rule.headers) };
  }
  if (rule.directResponse) return { directResponse: directResponseAction(rule.directResponse), ...headerLists(rule.headers) };
  if (!rule.route?.length) return undefined;
  if (rule.route.length > 1 && !rule.route.some((t) => (t.weight ?? 0) > 0)) return undefined;
  return forwardAction(context, rule, from);
}
