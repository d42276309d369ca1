import type { RouteRequest } from '../routing/request.ts';
import type { CompiledRoute } from '../routing/types.ts';
import type { Branch } from './branches.ts';
import { clusterText } from './cluster-text.ts';
import { originOfMetadata, partOfRule } from './origin.ts';
import { percent } from './percent.ts';
import type { PreparedRoutes } from './routes.ts';
import { addStep, type Trace } from './trace.ts';

/** The virtual host that a request's host belongs to; `domain` is the one of its domains that fits. */
export function hostStep(
  trace: Trace,
  { config, field, virtualHosts }: PreparedRoutes,
  domain: string | undefined,
  request: RouteRequest,
): void {
  const { host } = request;
  const routes = config.name;
  const [virtualHost] = config.virtualHosts;
  if (virtualHost === undefined) {
    addStep(trace, 'virtualHost', routes, `no virtual host is for ${host}`, { effect: 'stops' });
    return;
  }
  const why =
    virtualHosts.length === 1 && domain === '*'
      ? 'is for every host'
      : domain === '*'
        ? `takes whatever no other virtual host is for, and none is for ${host}`
        : `is for ${domain}`;
  addStep(trace, 'virtualHost', virtualHost.name, why, {
    details: { routeConfiguration: routes, domain: domain ?? '', field: field(virtualHost.field) },
  });
}

/** One step for the route that takes the request; several when dice choose between routes. */
export function routeSteps(trace: Trace, { field }: PreparedRoutes, branches: readonly Branch[], request: RouteRequest): void {
  const seen = new Set<unknown>();
  for (const { decision } of branches) {
    const key = decision.route ?? decision;
    if (seen.has(key)) continue;
    seen.add(key);
    const { route } = decision;
    if (route === undefined) {
      if (decision.kind === 'redirect')
        addStep(trace, 'route', decision.virtualHost.name, 'only https is served: it redirects', { effect: 'stops' });
      else if (decision.virtualHost !== undefined)
        addStep(trace, 'route', decision.virtualHost.name, 'none of its routes matches', { effect: 'stops' });
      continue;
    }
    const conditions = [route.path, ...route.conditions];
    const share = branches.filter((b) => b.decision.route === route).reduce((n, b) => n + b.share, 0);
    const part = share < 0.999999 ? `, for ${percent(share)} of such requests` : '';
    addStep(trace, 'route', route.name === '' ? field(route.field) : route.name, `${conditionsText(route)}${part}`, {
      origin: originOfMetadata(route.json.metadata, trace.view.locator),
      details: { field: field(route.field), conditions: conditions.map((c) => `${c.describe()} (${c.actual(request)})`) },
    });
    if (route.weighted !== undefined && branches.length > 1) {
      const { total } = route.weighted;
      addStep(
        trace,
        'split',
        route.name === '' ? field(route.field) : route.name,
        splitText(branches.filter((b) => b.decision.route === route)),
        {
          origin: partOfRule(originOfMetadata(route.json.metadata, trace.view.locator), 'route', trace.view.locator),
          details: {
            total,
            clusters: route.weighted.choices.map((c) => `${c.decision.cluster ?? c.decision.clusterHeader ?? ''} ${c.weight}`),
          },
        },
      );
    }
  }
}

/** `takes every request`, `path starts with "/api", header x-user is "jason"`. */
function conditionsText({ path, conditions, json }: CompiledRoute): string {
  const all = json.match?.prefix === '/' ? conditions : [path, ...conditions];
  return all.length === 0 ? 'takes every request' : all.map((c) => c.describe()).join(', ');
}

const splitText = (branches: readonly Branch[]): string =>
  branches
    .map(
      (b) =>
        `${percent(b.share)} to ${b.decision.kind === 'route' ? (b.decision.cluster === undefined ? 'the cluster that a header names' : clusterText(b.decision.cluster)) : b.decision.kind}`,
    )
    .join(', ');
