import { parseDuration } from '../../duration.ts';
import type { GRPCRoute, HTTPRoute, HTTPRouteRule, TLSRoute } from '../../kinds/gateway-api.ts';
import type { FieldPath, Resource } from '../../resource.ts';
import type { Report } from '../../validation/report.ts';
import { checkFilters } from './filters.ts';
import { checkHostnames } from './hostname.ts';
import { checkGrpcMatch, checkHttpMatch } from './matches.ts';

function checkTimeouts({ timeouts }: HTTPRouteRule, path: FieldPath, report: Report): void {
  const [request, backend] = [timeouts?.request, timeouts?.backendRequest].map((t) => (t === undefined ? 0 : (parseDuration(t) ?? 0)));
  if (request && backend && backend > request)
    report.error([...path, 'timeouts', 'backendRequest'], 'semantic/timeout', '`backendRequest` must not be longer than `request`');
}

/** A rule without matches is for all paths: the prefix is `/`. */
function matchesOnePrefix({ matches = [] }: HTTPRouteRule): boolean {
  return matches.length < 2 && (matches[0]?.path?.type ?? 'PathPrefix') === 'PathPrefix';
}

function checkRule(rule: HTTPRouteRule, path: FieldPath, report: Report): void {
  for (const [j, match] of (rule.matches ?? []).entries()) checkHttpMatch(match, [...path, 'matches', j], report);
  checkFilters(rule.filters, [...path, 'filters'], matchesOnePrefix(rule), report);
  for (const [j, backend] of (rule.backendRefs ?? []).entries())
    checkFilters(backend.filters, [...path, 'backendRefs', j, 'filters'], matchesOnePrefix(rule), report);
  if (rule.backendRefs?.length && rule.filters?.some((f) => f.type === 'RequestRedirect'))
    report.error([...path, 'backendRefs'], 'semantic/redirect', 'a rule that redirects has no backends', { atKey: true });
  checkTimeouts(rule, path, report);
}

/** What the Gateway API's own CRD refuses in an HTTPRoute, and expressions that the proxy could not run. */
export function checkHttpApiRoute(resource: Resource, report: Report): void {
  const { hostnames, rules } = resource.spec as HTTPRoute;
  checkHostnames(hostnames, report);
  for (const [i, rule] of (rules ?? []).entries()) checkRule(rule, ['spec', 'rules', i], report);
}

/** The same of a GRPCRoute. */
export function checkGrpcApiRoute(resource: Resource, report: Report): void {
  const { hostnames, rules } = resource.spec as GRPCRoute;
  checkHostnames(hostnames, report);
  for (const [i, rule] of (rules ?? []).entries()) {
    const path = ['spec', 'rules', i];
    for (const [j, match] of (rule.matches ?? []).entries()) checkGrpcMatch(match, [...path, 'matches', j], report);
    checkFilters(rule.filters, [...path, 'filters'], false, report);
    for (const [j, backend] of (rule.backendRefs ?? []).entries())
      checkFilters(backend.filters, [...path, 'backendRefs', j, 'filters'], false, report);
  }
}

/** Connections know no rules but one. */
export function checkLayer4ApiRoute(resource: Resource, report: Report): void {
  const { hostnames, rules } = resource.spec as TLSRoute;
  checkHostnames(hostnames, report);
  if (rules.length > 1) report.error(['spec', 'rules', 1], 'semantic/rules', `a ${resource.kind} has one rule`);
}
