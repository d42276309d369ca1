import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { Domains } from './domains.ts';

/** Collects virtual hosts of one route configuration: names and domains are unique, the first to take one keeps it. */
export class VirtualHosts {
  readonly #names = new Set<string>();
  readonly #domains = new Set<string>();
  readonly #known: ReadonlySet<string>;
  readonly list: VirtualHostJson[] = [];

  /** @param known real hosts: a generated short form that equals one is dropped */
  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  /** Adds one, less the domains that are taken. Returns false when nothing is left of it. */
  add(name: string, { domains, generated }: Domains, routes: readonly RouteJson[]): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    const kept: string[] = [];
    for (const domain of domains) {
      // Envoy compares domains without regard to case and refuses repetitions.
      const key = domain.toLowerCase();
      if (generated.has(domain) && this.#known.has(key)) continue;
      if (this.#domains.has(key)) continue;
      this.#domains.add(key);
      kept.push(key);
    }
    if (kept.length === 0) return false;
    this.list.push({ name, domains: kept, routes: routes as RouteJson[], includeRequestAttemptCount: true });
    return true;
  }
}

/** Sorted by name, as Istio sends them; the catch-all comes after. */
export function sortVirtualHosts(list: VirtualHostJson[]): VirtualHostJson[] {
  return list.sort((a, b) => (a.name! < b.name! ? -1 : a.name! > b.name! ? 1 : 0));
}
