import { withoutPort } from './domains.ts';
import { takes } from './fraction.ts';
import { match, needsTls, virtualHostOf } from './match.ts';
import type { RouteRequest } from './request.ts';
import type { CompiledRoute, CompiledRouteConfiguration, CompiledVirtualHost, Decision } from './types.ts';

/** Why a route was not taken: the first condition that did not hold. */
export interface FailedCondition {
  /** `virtualHosts[0].routes[1].match.headers[0]`. */
  field: string;
  /** What was asked for: `header x-user is "jason"`. */
  expected: string;
  /** What the request has: `"bob"`, `absent`. */
  actual: string;
}

export interface RouteConsidered {
  route: CompiledRoute;
  /** Undefined: all conditions hold, this route is taken. */
  failed: FailedCondition | undefined;
}

export interface VirtualHostConsidered {
  virtualHost: CompiledVirtualHost;
  /** The domain that took the request, as configured; undefined: none did, `failed` says so. */
  domain: string | undefined;
  failed: FailedCondition | undefined;
}

export interface MatchExplanation {
  decision: Decision;
  virtualHosts: readonly VirtualHostConsidered[];
  /** Routes of the chosen virtual host up to the one that was taken. */
  routes: readonly RouteConsidered[];
}

/** The same decision as `match`, with the reasons: built on the very conditions that match asks. */
export function explainMatch(config: CompiledRouteConfiguration, request: RouteRequest, random: () => number = () => 0): MatchExplanation {
  const draw = random();
  const decision = match(config, request, () => draw);
  const name = config.ignorePort ? withoutPort(request.host) : request.host;
  const chosen = virtualHostOf(config, request);
  const virtualHosts = config.virtualHosts.map((virtualHost): VirtualHostConsidered => {
    if (virtualHost === chosen) return { virtualHost, domain: bestDomain(virtualHost.domains, name), failed: undefined };
    const weaker = bestDomain(virtualHost.domains, name);
    const expected = weaker === undefined ? `host is ${virtualHost.domains.join(' or ')}` : `no better domain than ${weaker} matches`;
    const failed = { field: `${virtualHost.field}.domains`, expected, actual: JSON.stringify(request.authority) };
    return { virtualHost, domain: undefined, failed };
  });
  return { decision, virtualHosts, routes: routesConsidered(chosen, request, draw) };
}

/** Routes of a virtual host up to the one that takes the request, each with the condition that failed; `draw` is the request's dice. */
export function routesConsidered(
  virtualHost: CompiledVirtualHost | undefined,
  request: RouteRequest,
  draw: number,
): readonly RouteConsidered[] {
  const routes: RouteConsidered[] = [];
  if (virtualHost === undefined || needsTls(virtualHost, request)) return routes;
  for (const route of virtualHost.routes) {
    const failed = firstFailure(route, request, draw);
    routes.push({ route, failed });
    if (failed === undefined) break;
  }
  return routes;
}

/** The domain of a virtual host, as configured, that takes the request best; undefined for none. */
export function domainTaking(
  config: CompiledRouteConfiguration,
  virtualHost: CompiledVirtualHost,
  request: RouteRequest,
): string | undefined {
  return bestDomain(virtualHost.domains, config.ignorePort ? withoutPort(request.host) : request.host);
}

function firstFailure(route: CompiledRoute, request: RouteRequest, draw: number): FailedCondition | undefined {
  const base = `${route.field}.match`;
  if (request.path === '' && !route.path.takesPathless) {
    return { field: `${base}.${route.path.field}`, expected: route.path.describe(), actual: 'a CONNECT request without a path' };
  }
  for (const condition of [route.path, ...route.conditions]) {
    if (condition.test(request)) continue;
    return { field: `${base}.${condition.field}`, expected: condition.describe(), actual: condition.actual(request) };
  }
  const { fraction } = route;
  if (fraction !== undefined && !takes(fraction, draw)) {
    return { field: `${base}.runtimeFraction`, expected: `is among ${fraction.numerator} of ${fraction.denominator}`, actual: 'is not' };
  }
  return undefined;
}

/** The domain of a list that fits a name best, in Envoy's order of kinds. */
function bestDomain(domains: readonly string[], name: string): string | undefined {
  const rank = (domain: string): number => {
    const d = domain.toLowerCase();
    if (d === '*') return 1;
    if (d.startsWith('*')) return name.length > d.length - 1 && name.endsWith(d.slice(1)) ? 2_000_000 + d.length : 0;
    if (d.endsWith('*')) return name.length > d.length - 1 && name.startsWith(d.slice(0, -1)) ? 1_000_000 + d.length : 0;
    return d === name ? 3_000_000 : 0;
  };
  let best: string | undefined;
  for (const domain of domains) if (rank(domain) > (best === undefined ? 0 : rank(best))) best = domain;
  return best;
}
