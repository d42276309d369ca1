import { formatPath } from '../../config/resource.ts';
import type { VirtualServiceView } from '../../mesh/types.ts';
import { routeCovers } from '../../routing/route-cover.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import { type ComputedRoute, computedRoutes, guardCovers, virtualServiceViews } from '../model/routed-hosts.ts';
import { MESH } from '../model/virtual-service-parts.ts';
import { unreachableRules } from './unreachable-rules.ts';

/** Routes that a later one is compared with: of a list of thousands only the first are looked at. */
const MOST = 200;

/** Routes that no request gets to, proved on the routes that Envoy is given; those that Istio's own codes report already are left out. */
export const unreachableRoutes: Analyzer = {
  name: 'fl-unreachable-routes',
  codes: ['FL0101', 'FL0102'],
  run(model, report) {
    const views = virtualServiceViews(model);
    for (const view of views) checkOne(model, view, report);
    for (const { gateway, host, members } of sharedHosts(views)) checkShared(gateway, host, members, report);
  },
};

function checkOne(model: AnalysisModel, view: VirtualServiceView, report: ReportFinding): void {
  if ((view.spec.http?.length ?? 0) < 2 && (view.spec.http?.[0]?.match?.length ?? 0) < 2) return;
  const routes = computedRoutes(view);
  for (const [i, later] of routes.entries()) {
    const earlier = coveredBy(later, routes.slice(0, Math.min(i, MOST)));
    if (earlier === undefined || isKnown(model, later)) continue;
    const related = [{ resource: earlier.resource, at: earlier.at, note: 'this takes every such request before it' }];
    report('FL0101', later.resource, later.at, { earlier: formatPath(earlier.at) }, { related });
  }
}

function coveredBy(later: ComputedRoute, earlier: readonly ComputedRoute[]): ComputedRoute | undefined {
  return earlier.find((route) => guardCovers(route, later) && routeCovers(route.match, later.match));
}

/** IST0130 and IST0131 of the same place, worked out when first asked for. */
function isKnown(model: AnalysisModel, { resource, at, rule }: ComputedRoute): boolean {
  const known = model.shared('unreachable by istio', () => {
    const places = new Set<string>();
    unreachableRules.run(model, (_, { metadata }, place) => void places.add(`${fullName(metadata)} ${formatPath(place)}`));
    return places;
  });
  const name = fullName(resource.metadata);
  return known.has(`${name} ${formatPath(at)}`) || known.has(`${name} ${formatPath(rule)}`);
}

interface SharedHost {
  readonly gateway: string;
  readonly host: string;
  readonly members: readonly VirtualServiceView[];
}

/** Hosts of gateways that several VirtualServices have routes for: a gateway puts them one after the other. */
function sharedHosts(views: readonly VirtualServiceView[]): SharedHost[] {
  const groups = new Map<string, { gateway: string; host: string; members: VirtualServiceView[] }>();
  for (const view of views) {
    for (const gateway of view.gateways) {
      if (gateway === MESH) continue;
      for (const host of view.hosts) {
        const group = groups.get(`${gateway} ${host}`) ?? { gateway, host, members: [] };
        group.members.push(view);
        groups.set(`${gateway} ${host}`, group);
      }
    }
  }
  return [...groups.values()].filter(({ members }) => members.length > 1);
}

function checkShared(gateway: string, host: string, members: readonly VirtualServiceView[], report: ReportFinding): void {
  // What is exported to some namespaces only may not be there for the gateway, or goes first.
  const shown = members.filter(({ exportTo }) => exportTo[0] === '*');
  const before: ComputedRoute[] = [];
  for (const view of shown) {
    const routes = computedRoutes(view).filter(({ guard }) => guard.gateways === undefined);
    for (const later of routes) {
      const earlier = coveredBy(later, before);
      if (earlier === undefined) continue;
      const related = [{ resource: earlier.resource, at: earlier.at, note: 'this takes every such request before it' }];
      report('FL0102', later.resource, later.at, { host, gateway, other: fullName(earlier.resource.metadata) }, { related });
    }
    before.push(...routes.slice(0, MOST - before.length));
  }
}
