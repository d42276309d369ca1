import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { type ProblemText, problemAt } from '../../mesh/problem.ts';
import type { HttpMatch, HttpRule, VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { configPath, provenance } from '../metadata.ts';
import { routeAction } from './action.ts';
import type { RouteContext } from './context.ts';
import { CORS_FILTER, corsConfig } from './cors.ts';
import { FAULT_FILTER, faultConfig } from './fault.ts';
import { claimPath, isCatchAll, isClaimKey, routeMatch } from './match.ts';
import { routeOperation } from './operation.ts';
import { httpSourceHolds } from './source.ts';

/** Why the claims of a match cannot be looked at; undefined when there are none, or they can. */
function claimsProblem(match: HttpMatch | undefined, gateway: boolean): ProblemText | undefined {
  const keys = [match?.headers, match?.withoutHeaders].flatMap((map) => Object.keys(map ?? {}).filter(isClaimKey));
  const bad = keys.find((key) => claimPath(key) === undefined);
  if (bad !== undefined) {
    return {
      severity: 'error',
      rule: 'route/claim-key',
      message: `${JSON.stringify(bad)} names no claim; the match is left out`,
      hint: 'write @request.auth.claims.a.b or @request.auth.claims[a][b]',
    };
  }
  if (keys.length === 0 || gateway) return undefined;
  return {
    severity: 'warning',
    rule: 'route/claims-in-mesh',
    message: 'claims of a JWT are known to gateways only; calls inside the mesh do without this match',
    hint: 'name the gateways it is for in `gateways`',
  };
}

function routeName(rule: HttpRule, match: HttpMatch | undefined): string | undefined {
  const name = match?.name ? `${rule.name ?? ''}.${match.name}` : rule.name;
  return name || undefined;
}

function perFilterConfig(rule: HttpRule): RouteJson['typedPerFilterConfig'] {
  const fault = faultConfig(rule.fault);
  const out: NonNullable<RouteJson['typedPerFilterConfig']> = {
    ...(rule.corsPolicy && { [CORS_FILTER]: corsConfig(rule.corsPolicy) }),
    ...(fault && { [FAULT_FILTER]: fault }),
  };
  return Object.keys(out).length > 0 ? out : undefined;
}

/** Where a rule was written, and where its match was: a delegate's rule may carry a match of the root's. */
interface RuleOrigin {
  resource: Resource;
  path: FieldPath;
  match: { resource: Resource; path: FieldPath };
}

function originOfRule(view: VirtualServiceView, rule: number, match: number | undefined): RuleOrigin {
  const written = view.httpOrigins[rule] ?? { resource: view.resource, path: ['spec', 'http', rule] };
  const { resource, path } = written;
  if (match === undefined) return { resource, path, match: { resource, path } };
  return { resource, path, match: written.matches?.[match] ?? { resource, path: [...path, 'match', match] } };
}

function translate(context: RouteContext, rule: HttpRule, match: HttpMatch | undefined, origin: RuleOrigin): RouteJson | undefined {
  const claims = claimsProblem(match, context.proxy.type === 'router');
  if (claims !== undefined) {
    // Leaving only the claim out would open the rule to everyone; the whole match stays away instead.
    context.problems.push(problemAt(origin.match.resource, origin.match.path, claims));
    return undefined;
  }
  const action = routeAction(context, rule, origin.resource);
  if (action === undefined) {
    context.problems.push(
      problemAt(origin.resource, origin.path, {
        severity: 'error',
        rule: 'route/no-action',
        message:
          'the rule has no destination with a weight, no redirect with a status that Envoy knows and no direct response; it is left out',
      }),
    );
    return undefined;
  }
  // A view of the Gateway API holds rules of several routes, each of which is named itself.
  const resource = context.view.id === undefined ? context.view.resource : origin.resource;
  const name = routeName(rule, match);
  const filters = perFilterConfig(rule);
  const route: RouteJson = {
    ...(name && { name }),
    match: routeMatch(match),
    ...action,
    ...(match?.statPrefix && { statPrefix: match.statPrefix }),
    metadata: provenance(resource, origin.match.path, origin.match.resource),
    ...(filters && { typedPerFilterConfig: filters }),
  };
  route.decorator = { operation: routeOperation(route, resource.metadata.name, context.listenPort) };
  return route;
}

/**
 * The routes that a VirtualService's `http` rules yield on one port, in order, up to and with the first that takes everything.
 * Empty: the VirtualService has nothing to say there.
 */
export function virtualServiceRoutes(
  context: BuildContext,
  of: Pick<RouteContext, 'view' | 'listenPort' | 'gateway'>,
): readonly RouteJson[] {
  const kind = `routes ${of.gateway} ${of.listenPort}`;
  return context.memo.part(kind, of.view.id ?? configPath(of.view.resource), [of.view], context, (tracked) =>
    makeRoutes({ ...tracked, ...of }),
  );
}

function makeRoutes(context: RouteContext): RouteJson[] {
  const { view, proxy, listenPort, gateway } = context;
  const out: RouteJson[] = [];
  const namespace = view.resource.metadata.namespace;
  for (const [i, rule] of (view.spec.http ?? []).entries()) {
    const matches = rule.match?.length ? rule.match : [undefined];
    for (const [j, match] of matches.entries()) {
      if (match?.port && match.port !== listenPort) continue;
      if (match && !httpSourceHolds(match, proxy, namespace, gateway)) continue;
      const route = translate(context, rule, match, originOfRule(view, i, match === undefined ? undefined : j));
      if (route === undefined) continue;
      out.push(route);
      if (isCatchAll(route.match)) return out;
    }
  }
  return out;
}
