import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Table } from '../table.ts';
import { managedBy } from './config-path.ts';
import { describeMatch } from './match.ts';

export interface RouteFilters {
  /** The whole name of a route configuration. */
  name?: string | undefined;
}

const number = /^\d+$/;

/** Nameless (inline) first, then numbers by value, then names. */
function compareNames(a: string, b: string): number {
  const rank = (name: string): number => (name === '' ? 0 : number.test(name) ? 1 : 2);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) === 1 && Number(a) !== Number(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first two domains that say something, and how many more there are. */
export function describeDomains(domains: readonly string[]): string {
  if (domains.length <= 1) return domains[0] ?? '';
  // An IPv6 address has its colons inside brackets; what follows them is a port.
  const plain = domains.filter((d) => !/^[^[]*:|\]:/.test(d));
  const all = new Set(plain);
  const shorter = (domain: string, suffix: string): boolean => domain.endsWith(suffix) && all.has(domain.slice(0, -suffix.length));
  const shown = plain.filter((d) => !shorter(d, '.svc.cluster.local') && !shorter(d, '.svc'));
  return shown.length > 2 ? `${shown.slice(0, 2).join(', ')} + ${shown.length - 2} more...` : shown.join(', ');
}

/** The route configurations that pass the filter, names in the order of the table. */
export function selectRoutes(routes: readonly RouteConfigurationJson[], filters: RouteFilters = {}): RouteConfigurationJson[] {
  const selected = filters.name === undefined ? [...routes] : routes.filter((r) => (r.name ?? '') === filters.name);
  return selected.sort((a, b) => compareNames(a.name ?? '', b.name ?? ''));
}

/** `proxy-config route`: one row for each route; routes to PassthroughCluster are hidden. `verbose: false` counts virtual hosts. */
export function routeTable(routes: readonly RouteConfigurationJson[], filters: RouteFilters = {}, verbose = true): Table {
  const selected = selectRoutes(routes, filters);
  if (!verbose)
    return { columns: ['NAME', 'VIRTUAL HOSTS'], rows: selected.map((r) => [r.name ?? '', String(r.virtualHosts?.length ?? 0)]) };
  const rows: string[][] = [];
  for (const config of selected) {
    for (const host of config.virtualHosts ?? []) {
      const lead = [config.name ?? '', host.name ?? '', describeDomains(host.domains ?? [])];
      if (!host.routes?.length) rows.push([...lead, '/*', '404']);
      for (const route of host.routes ?? []) {
        if (route.route?.cluster === 'PassthroughCluster') continue;
        rows.push([...lead, describeMatch(route.match), managedBy(route.metadata)]);
      }
    }
  }
  return { columns: ['NAME', 'VHOST NAME', 'DOMAINS', 'MATCH', 'VIRTUAL SERVICE'], rows };
}
