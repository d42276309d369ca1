import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Problem } from '../errors.ts';
import { compileRouteConfiguration } from '../routing/compile.ts';
import { virtualHostOf } from '../routing/match.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { CompiledRouteConfiguration, CompiledVirtualHost } from '../routing/types.ts';
import { indexOf, type ProxyView } from './view.ts';

/** Matches no path at all: it takes the place of a route that cannot be evaluated, so that the places of others stay. */
const NEVER = { path: '\u0000' } as const;

/** The route configuration of a connection manager, or a sentence that says why there is none. */
export function routeConfigurationOf(view: ProxyView, hcm: HttpConnectionManagerJson): RouteConfigurationJson | string {
  if (hcm.routeConfig !== undefined) return hcm.routeConfig;
  const name = hcm.rds?.routeConfigName;
  if (name === undefined)
    return hcm.scopedRoutes !== undefined ? 'its routes are scoped, which explain does not evaluate' : 'it has no routes';
  return indexOf(view).routes(name) ?? `the route configuration ${name} is not part of what was read`;
}

/** As much of a configuration as one request needs. */
export interface PreparedRoutes {
  /** The virtual host that takes the request, alone; nothing when none does. */
  readonly config: CompiledRouteConfiguration;
  /** All of them, without their routes. */
  readonly virtualHosts: readonly CompiledVirtualHost[];
  /** A field of `config` as a field of the whole configuration. */
  field(of: string): string;
  /** Fields and routes that were left out, because nothing here evaluates them. */
  readonly leftOut: readonly Problem[];
}

/** What was compiled of a configuration: its domains, and the virtual hosts that were asked for, by their place. */
interface Compiled {
  bare: CompiledRouteConfiguration;
  hosts: Map<number, PreparedRoutes>;
}

const compiled = new WeakMap<RouteConfigurationJson, Compiled>();

/**
 * Compiles the domains of all virtual hosts, and the routes of the one that takes the request. Fields that the routing core refuses (a
 * dump of another control plane may have them) are left out and reported; a route whose match cannot be evaluated matches nothing.
 * What was compiled is kept for as long as the configuration is.
 */
export function prepareRoutes(json: RouteConfigurationJson, request: RouteRequest): PreparedRoutes {
  const hosts = json.virtualHosts ?? [];
  let known = compiled.get(json);
  if (known === undefined) {
    const bare = hosts.map(({ name, domains, requireTls }) => ({ name: name!, domains: domains!, ...(requireTls && { requireTls }) }));
    known = { bare: compileLeniently({ ...json, virtualHosts: bare }).config, hosts: new Map() };
    compiled.set(json, known);
  }
  const { virtualHosts } = known.bare;
  const chosen = virtualHostOf(known.bare, request);
  const index = chosen === undefined ? -1 : virtualHosts.indexOf(chosen);
  let prepared = known.hosts.get(index);
  if (prepared === undefined) {
    const alone = compileLeniently({ ...json, virtualHosts: index < 0 ? [] : [hosts[index]!] });
    prepared = { ...alone, virtualHosts, field: (of) => of.replace(/^virtualHosts\[0\]/, `virtualHosts[${index}]`) };
    known.hosts.set(index, prepared);
  }
  return prepared;
}

/** Compiles what can be compiled: see `prepareRoutes`. */
export function compileLeniently(json: RouteConfigurationJson): Pick<PreparedRoutes, 'config' | 'leftOut'> {
  const leftOut: Problem[] = [];
  let now = json;
  for (;;) {
    const { value, problems } = compileRouteConfiguration(now);
    if (value !== undefined) return { config: value, leftOut };
    now = structuredClone(now);
    for (const problem of problems) {
      leftOut.push(problem);
      leaveOut(now, problem);
    }
  }
}

/** Removes what a problem is about; of a route that is invalid otherwise, the match. */
function leaveOut(json: RouteConfigurationJson, { path = '', rule }: Problem): void {
  const route = /^virtualHosts\[(\d+)\]\.routes\[(\d+)\]/.exec(path);
  const inMatch = /^virtualHosts\[\d+\]\.routes\[\d+\]\.match/.test(path);
  if (route !== null && (inMatch || rule !== 'unsupported/field')) {
    const of = json.virtualHosts![Number(route[1])]!.routes!;
    const { name } = of[Number(route[2])]!;
    of[Number(route[2])] = { ...(name && { name }), match: NEVER, directResponse: { status: 500 } };
    return;
  }
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  const last = keys.pop();
  let at: unknown = json;
  for (const key of keys) at = (at as Record<string, unknown> | undefined)?.[key];
  if (typeof at !== 'object' || at === null || last === undefined) return;
  if (Array.isArray(at)) at[Number(last)] = {};
  else delete (at as Record<string, unknown>)[last];
}
