import type { RouteConsidered } from '../routing/explain-match.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { CompiledRoute, CompiledVirtualHost } from '../routing/types.ts';
import { originOfMetadata } from './origin.ts';
import type { PreparedRoutes } from './routes.ts';
import type { NearMiss, Origin } from './types.ts';
import type { Locator } from './view.ts';

/** More would not be read. */
const MOST = 5;

/** Routes of the virtual host that would have taken the request but for a condition, in their order. */
export function routeMisses(
  routes: readonly RouteConsidered[],
  prepared: PreparedRoutes,
  request: RouteRequest,
  locator: Locator | undefined,
): NearMiss[] {
  const virtualHost = prepared.config.virtualHosts[0]?.name ?? '';
  const matched = routes.some(({ failed }) => failed === undefined);
  return routes
    .flatMap(({ route, failed }): NearMiss[] => {
      if (failed === undefined || route.path.describe() === 'path is "\\u0000"') return [];
      // Beside a route that took the request, routes for altogether other paths tell nothing.
      if (matched && !route.path.test(request) && !isNearPath(route, request)) return [];
      const held = heldBefore(route, request);
      const decisive = failing(route, request) === 1;
      const origin = originOfMetadata(route.json.metadata, locator);
      return [
        {
          kind: 'route',
          resource: route.name === '' ? prepared.field(route.field) : route.name,
          message: `${routeLabel(route, virtualHost, origin)} asks that ${condition(failed.expected)}; the request ${has(failed.actual)}`,
          field: prepared.field(failed.field),
          expected: failed.expected,
          actual: failed.actual,
          held,
          decisive,
          ...(origin !== undefined && { origin }),
        },
      ];
    })
    .sort((a, b) => Number(b.decisive) - Number(a.decisive) || b.held - a.held)
    .slice(0, MOST);
}

/** `route #2 of reviews.yaml:14`, `route #2 of reviews:9080` where the sources are not at hand. */
function routeLabel(route: CompiledRoute, virtualHost: string, origin: Origin | undefined): string {
  const where =
    origin?.file === undefined ? virtualHost : origin.line === 0 ? origin.file : `${origin.file.replace(/^.*\//, '')}:${origin.line}`;
  return `route #${numberOf(route)} of ${where}`;
}

const condition = (text: string): string => (/^(?:is|never) /.test(text) ? `it ${text}` : text);
const has = (actual: string): string => (actual === 'absent' ? 'has none' : actual === 'is not' ? 'is not' : `has ${actual}`);

const numberOf = (route: CompiledRoute): number => Number(/routes\[(\d+)\]$/.exec(route.field)?.[1] ?? 0) + 1;

const conditionsOf = (route: CompiledRoute) => [route.path, ...route.conditions];
const heldBefore = (route: CompiledRoute, request: RouteRequest): number => conditionsOf(route).filter((c) => c.test(request)).length;
const failing = (route: CompiledRoute, request: RouteRequest): number => conditionsOf(route).filter((c) => !c.test(request)).length;

/** Whether a path misses a route's by its case, a slash at the end or a slip of the pen. */
function isNearPath({ json: { match = {} } }: CompiledRoute, { pathOnly }: RouteRequest): boolean {
  const wanted = match.path ?? match.prefix ?? match.pathSeparatedPrefix;
  if (wanted === undefined || wanted === '/') return false;
  const part = match.path === undefined ? pathOnly.slice(0, wanted.length) : pathOnly;
  const trim = (path: string): string => path.toLowerCase().replace(/\/$/, '');
  return trim(part) === trim(wanted) || (wanted.length > 4 && editDistance(part, wanted) <= 1);
}

/** Virtual hosts whose domains come close to a host that none of them has. */
export function hostMisses(virtualHosts: readonly CompiledVirtualHost[], request: RouteRequest): NearMiss[] {
  const { host } = request;
  const scored = virtualHosts.flatMap((virtualHost) => {
    let best: { domain: string; score: number } | undefined;
    for (const domain of virtualHost.domains) {
      const score = closeness(domain.toLowerCase(), host);
      if (score > 0 && (best === undefined || score > best.score)) best = { domain, score };
    }
    return best === undefined ? [] : [{ virtualHost, ...best }];
  });
  return scored
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST)
    .map(({ virtualHost, domain, score }) => ({
      kind: 'virtualHost',
      resource: virtualHost.name,
      message: `virtual host ${virtualHost.name} is for ${domain}; the request is for ${host}`,
      field: `${virtualHost.field}.domains`,
      expected: `host is ${domain}`,
      actual: JSON.stringify(host),
      held: Math.round(score * 10),
      decisive: true,
    }));
}

/** 0 to 1: how alike a domain and a host are; 0 for unlike ones. */
function closeness(domain: string, host: string): number {
  if (domain === '*') return 0;
  const [d, h] = [domain.replace(/:\d+$/, ''), host.replace(/:\d+$/, '')];
  // The right name on another port.
  if (d === h) return 0.95;
  if (d.startsWith(`${h}.`) || h.startsWith(`${d}.`)) return 0.8;
  const wildcard = d.startsWith('*') ? d.slice(1) : '';
  if (wildcard !== '' && h === wildcard.replace(/^\./, '')) return 0.9;
  const distance = editDistance(d, h);
  const alike = 1 - distance / Math.max(d.length, h.length);
  return distance <= 3 && alike >= 0.6 ? alike * 0.9 : 0;
}

/** Levenshtein's, given up at 4. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
    if (Math.min(...row) > 3) return 4;
  }
  return row[b.length]!;
}
