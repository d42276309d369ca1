import type { HTTPRoute, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Position, Resource } from '../../config/resource.ts';
import { FairleadError } from '../../errors.ts';
import { normaliseGateway } from '../../mesh/gateway-names.ts';
import { compareSpecificity, covers } from '../../mesh/host-match.ts';
import type { Mesh } from '../../mesh/types.ts';

/** One HTTP route as it is written, in the order in which requests try them. */
export interface RouteEntry {
  /** 1-based, over the VirtualService and its delegates. */
  number: number;
  route: HTTPRoute;
  resource: Resource<VirtualService>;
  path: FieldPath;
  position: Position;
  /** The route that delegates to this one. */
  parent: RouteEntry | undefined;
}

/** The VirtualService that routes requests for a host, and its routes. */
export interface HostRoutes {
  resource: Resource<VirtualService>;
  /** Complete names. */
  hosts: readonly string[];
  /** `mesh` or `<namespace>/<name>`. */
  gateways: readonly string[];
  entries: readonly RouteEntry[];
}

function gatewaysOf({ spec, metadata }: Resource<VirtualService>): string[] {
  const named = spec.gateways ?? [];
  return named.length === 0 ? ['mesh'] : named.map((gateway) => normaliseGateway(gateway, metadata.namespace));
}

/** The VirtualServices whose routes requests for `host` meet, the one that decides first: the most specific host, then the oldest. */
export function routesOf(mesh: Mesh, host: string, gateway?: string): HostRoutes[] {
  const found = mesh.ofKind<VirtualService>('VirtualService').flatMap((resource) => {
    const hosts = (resource.spec.hosts ?? []).map((h) => mesh.completeHost(h, resource.metadata.namespace));
    const matching = hosts.filter((h) => covers(h, host)).sort(compareSpecificity);
    const gateways = gatewaysOf(resource);
    if (matching[0] === undefined || (gateway !== undefined && !gateways.includes(gateway))) return [];
    return [{ specific: matching[0], routes: { resource, hosts, gateways, entries: entriesOf(mesh, resource) } }];
  });
  return found.sort((a, b) => compareSpecificity(a.specific, b.specific)).map(({ routes }) => routes);
}

/** Every VirtualService that has hosts, oldest first. */
export function allRoutes(mesh: Mesh): HostRoutes[] {
  return mesh
    .ofKind<VirtualService>('VirtualService')
    .filter((resource) => (resource.spec.hosts?.length ?? 0) > 0)
    .map((resource) => ({
      resource,
      hosts: (resource.spec.hosts ?? []).map((h) => mesh.completeHost(h, resource.metadata.namespace)),
      gateways: gatewaysOf(resource),
      entries: entriesOf(mesh, resource),
    }));
}

function entriesOf(mesh: Mesh, root: Resource<VirtualService>): RouteEntry[] {
  const entries: RouteEntry[] = [];
  const walk = (resource: Resource<VirtualService>, parent: RouteEntry | undefined): void => {
    for (const [index, route] of (resource.spec.http ?? []).entries()) {
      const path = ['spec', 'http', index];
      const entry: RouteEntry = { number: entries.length + 1, route, resource, path, position: resource.source.positionOf(path), parent };
      const delegate = route.delegate && findDelegate(mesh, resource, route.delegate);
      // Delegates of delegates are not followed by Istio either.
      if (delegate && parent === undefined) walk(delegate, entry);
      else entries.push(entry);
    }
  };
  walk(root, undefined);
  return entries;
}

function findDelegate(mesh: Mesh, from: Resource, delegate: NonNullable<HTTPRoute['delegate']>): Resource<VirtualService> | undefined {
  const namespace = delegate.namespace || from.metadata.namespace;
  return mesh
    .ofKind<VirtualService>('VirtualService')
    .find(({ metadata }) => metadata.name === delegate.name && metadata.namespace === namespace);
}

const whereOf = ({ file, line }: Position): string => (line === 0 ? file : `${file}:${line}`);

/** How a route is called in messages: `#2 "split"`. */
export function nameOfRoute({ number, route }: RouteEntry): string {
  return route.name ? `#${number} ${JSON.stringify(route.name)}` : `#${number}`;
}

/**
 * The route that a person means: by name or number; without either the only one, else the only one that takes every request. Throws
 * E_ROUTE_UNKNOWN with the routes there are.
 */
export function chooseRoute({ resource, entries }: HostRoutes, wanted: string | undefined): RouteEntry {
  const where = `VirtualService ${resource.metadata.namespace}/${resource.metadata.name}`;
  const list = `There are: ${entries.map((e) => `${nameOfRoute(e)} (${whereOf(e.position)})`).join(', ')}.`;
  if (wanted !== undefined) {
    const number = /^#?(\d+)$/.exec(wanted)?.[1];
    const named = entries.filter((entry) => entry.route.name === wanted);
    const found = named.length > 0 ? named : entries.filter((entry) => number !== undefined && entry.number === Number(number));
    if (found.length === 1) return found[0] as RouteEntry;
    const what = found.length > 1 ? `has ${found.length} routes named ${wanted}` : `has no route ${wanted}`;
    throw new FairleadError('E_ROUTE_UNKNOWN', `${where} ${what}`, { next: list });
  }
  if (entries.length === 1) return entries[0] as RouteEntry;
  const defaults = entries.filter((entry) => (entry.route.match ?? []).length === 0);
  if (defaults.length === 1) return defaults[0] as RouteEntry;
  if (entries.length === 0)
    throw new FairleadError('E_ROUTE_UNKNOWN', `${where} has no HTTP route`, { position: resource.source.positionOf(['spec']) });
  throw new FairleadError('E_ROUTE_UNKNOWN', `${where} has ${entries.length} routes: say which one with --route NAME or --route NUMBER`, {
    next: list,
  });
}
