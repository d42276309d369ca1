import type { Destination, HTTPRoute, VirtualService } from '../config/kinds/networking.ts';
import type { FieldPath } from '../config/resource.ts';

/** Calls `visit` for every destination of an HTTP route: weighted ones and mirrors, with the path inside the route. */
export function visitHttpDestinations(route: HTTPRoute, visit: (destination: Destination, path: FieldPath) => void): void {
  for (const [i, r] of (route.route ?? []).entries()) visit(r.destination, ['route', i, 'destination']);
  if (route.mirror) visit(route.mirror, ['mirror']);
  for (const [i, m] of (route.mirrors ?? []).entries()) visit(m.destination, ['mirrors', i, 'destination']);
}

/** Calls `visit` for every destination of the TLS and TCP routes, with the path inside the VirtualService. */
export function visitLayer4Destinations(spec: VirtualService, visit: (destination: Destination, path: FieldPath) => void): void {
  for (const kind of ['tls', 'tcp'] as const) {
    for (const [i, route] of (spec[kind] ?? []).entries()) {
      for (const [j, r] of (route.route ?? []).entries()) visit(r.destination, ['spec', kind, i, 'route', j, 'destination']);
    }
  }
}

/** A copy of an HTTP route with the hosts of its destinations and mirrors passed through `complete`. */
export function withCompleteHosts(route: HTTPRoute, complete: (host: string) => string): HTTPRoute {
  const completed = (d: Destination): Destination => ({ ...d, host: complete(d.host) });
  return {
    ...route,
    ...(route.route && { route: route.route.map((r) => ({ ...r, destination: completed(r.destination) })) }),
    ...(route.mirror && { mirror: completed(route.mirror) }),
    ...(route.mirrors && { mirrors: route.mirrors.map((m) => ({ ...m, destination: completed(m.destination) })) }),
  };
}
