import { findVirtualHost, withoutPort } from './domains.ts';
import { wholeRandom } from './fraction.ts';
import type { RouteRequest } from './request.ts';
import type { CompiledRoute, CompiledRouteConfiguration, CompiledVirtualHost, Decision, RouteDecision } from './types.ts';
import { chooseWeighted } from './weighted.ts';

/**
 * Decides what happens to a request: one of the decisions that were made when the configuration was compiled, so nothing is
 * allocated. `random` gives uniform numbers in [0, 1); one draw serves a route's fraction and its weighted clusters, as in Envoy.
 */
export function match(config: CompiledRouteConfiguration, request: RouteRequest, random: () => number = Math.random): Decision {
  const virtualHost = virtualHostOf(config, request);
  if (virtualHost === undefined) return config.notFound;
  // Envoy: a request whose x-forwarded-proto is there and empty has no scheme, and no route is for it.
  if (request.forwardedProto === '') return virtualHost.notFound;
  if (needsTls(virtualHost, request)) return virtualHost.tlsRedirect;
  const { routes } = virtualHost;
  const { path } = request;
  let draw = -1;
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i]!;
    const { plainPrefix } = route.path;
    if (path === '' ? !route.path.takesPathless : false) continue;
    if (plainPrefix !== undefined ? !path.startsWith(plainPrefix) : !route.path.test(request)) continue;
    if (route.fraction !== undefined) {
      if (draw < 0) draw = random();
      if (wholeRandom(draw) % route.fraction.denominator >= route.fraction.numerator) continue;
    }
    if (route.conditions.length > 0 && !allHold(route, request)) continue;
    if (route.weighted === undefined) return route.decision;
    return chooseWeighted(route.weighted, request, draw < 0 ? random() : draw);
  }
  return virtualHost.notFound;
}

function allHold(route: CompiledRoute, request: RouteRequest): boolean {
  for (const condition of route.conditions) if (!condition.test(request)) return false;
  return true;
}

/** The virtual host that a request's authority belongs to. */
export function virtualHostOf(config: CompiledRouteConfiguration, request: RouteRequest): CompiledVirtualHost | undefined {
  const { host } = request;
  return findVirtualHost(config.domains, config.ignorePort ? withoutPort(host) : host);
}

/** require_tls: whether a redirect to https comes before any route. It looks at x-forwarded-proto, not at the connection. */
export function needsTls(virtualHost: CompiledVirtualHost, request: RouteRequest): boolean {
  if (virtualHost.requireTls === 'NONE' || request.forwardedProto === 'https') return false;
  return virtualHost.requireTls === 'ALL' || !request.internal;
}

/** The cluster to forward to; empty when cluster_header names a header that is not there. */
export function clusterName(decision: RouteDecision, request: RouteRequest): string {
  if (decision.cluster !== undefined) return decision.cluster;
  return decision.clusterHeader === undefined ? '' : (request.firstHeader(decision.clusterHeader) ?? '');
}
