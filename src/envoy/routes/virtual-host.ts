import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { BuildMemo } from '../context.ts';
import type { Domains } from './domains.ts';

/** A virtual host before it is known which domains are left to it. */
interface Candidate {
  name: string;
  domains: Domains;
  routes: readonly RouteJson[];
}

/** The virtual hosts of one route configuration, sorted by name as Istio sends them. */
export interface HostList {
  list: readonly VirtualHostJson[];
  /** All domains, in lower case. */
  domains: ReadonlySet<string>;
}

interface Resolved {
  candidates: readonly Candidate[];
  /** Of each candidate: undefined when nothing is left of it. */
  hosts: readonly (VirtualHostJson | undefined)[];
  /** Candidates in the order of their names. */
  order: readonly number[];
  domains: ReadonlySet<string>;
}

/** Collects virtual hosts of one route configuration: names and domains are unique, the first to take one keeps it. */
export class VirtualHosts {
  readonly #known: () => ReadonlySet<string>;
  readonly #candidates: Candidate[] = [];

  /** @param known real hosts: a generated short form that equals one is dropped */
  constructor(known: () => ReadonlySet<string>) {
    this.#known = known;
  }

  add(name: string, domains: Domains, routes: readonly RouteJson[]): void {
    this.#candidates.push({ name, domains, routes });
  }

  /** What came of it. While the same names with the same domains are added, only routes are looked at. */
  resolve(memo: BuildMemo, slot: string): HostList {
    const candidates = this.#candidates;
    const before = memo.last<Resolved>(slot);
    const same = before !== undefined && sameNames(before.candidates, candidates);
    const resolved = same ? { ...before, candidates, hosts: withRoutes(before, candidates) } : resolve(candidates, this.#known());
    memo.keep(slot, resolved);
    return { list: resolved.order.map((i) => resolved.hosts[i]!), domains: resolved.domains };
  }
}

/** Then the real hosts are the same too: each of them adds its domains. */
function sameNames(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  return a.length === b.length && a.every((one, i) => one.domains === b[i]!.domains && one.name === b[i]!.name);
}

function withRoutes(before: Resolved, candidates: readonly Candidate[]): Resolved['hosts'] {
  return before.hosts.map((host, i) => {
    const { routes } = candidates[i]!;
    return host === undefined || before.candidates[i]!.routes === routes ? host : { ...host, routes: routes as RouteJson[] };
  });
}

function resolve(candidates: readonly Candidate[], known: ReadonlySet<string>): Resolved {
  const names = new Set<string>();
  const taken = new Set<string>();
  const hosts = candidates.map(({ name, domains: { domains, generated }, routes }): VirtualHostJson | undefined => {
    if (names.has(name)) return undefined;
    names.add(name);
    const kept: string[] = [];
    for (const domain of domains) {
      // Envoy compares domains without regard to case and refuses repetitions.
      const key = domain.toLowerCase();
      if (generated.has(domain) && known.has(key)) continue;
      if (taken.has(key)) continue;
      taken.add(key);
      kept.push(key);
    }
    return kept.length === 0 ? undefined : { name, domains: kept, routes: routes as RouteJson[], includeRequestAttemptCount: true };
  });
  const order = [...hosts.keys()].filter((i) => hosts[i] !== undefined);
  order.sort((a, b) => (candidates[a]!.name < candidates[b]!.name ? -1 : 1));
  return { candidates, hosts, order, domains: taken };
}

/** Sorted by name, as Istio sends them; the catch-all comes after. */
export function sortVirtualHosts(list: VirtualHostJson[]): VirtualHostJson[] {
  return list.sort((a, b) => (a.name! < b.name! ? -1 : a.name! > b.name! ? 1 : 0));
}
