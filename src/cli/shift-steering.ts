/** What a shift moves, and what it hears from a running agent. */
import type { HTTPRoute, HTTPRouteDestination } from '../config/kinds/networking.ts';
import { chooseRoute, type RouteEntry, routesOf } from '../edit/routes/find-routes.ts';
import { findHost } from '../edit/routes/service-host.ts';
import { type Share, withShares } from '../edit/routes/split.ts';
import { parseClusterName } from '../envoy/names.ts';
import { FairleadError, type Problem } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';
import type { Sample } from '../shift/gates.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';

/** What a shift needs of an agent's client. */
export interface ShiftAgent {
  getJson<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown, timeoutMs?: number): Promise<T>;
  stream(path: string, on: { open?(): void; line(value: unknown): void; ended(error?: Error): void }): () => void;
}

/** Which route. */
export interface ShiftTarget {
  service: string;
  namespace: string;
  route: string | undefined;
  gateway: string | undefined;
}

export interface FoundRoute {
  mesh: Mesh;
  host: string;
  entry: RouteEntry;
  shares: readonly Share[];
}

/** A route whose split is moved, wherever it is written. */
export interface ShiftRoute {
  /** As it was at first. */
  readonly found: FoundRoute;
  /** What tells it from all others, on this machine: for the journal. */
  readonly key: string;
  /** Writes a split, if the route still has the one of before. Throws E_FILE_CHANGED or E_OBJECT_CHANGED when somebody else changed it, E_CONFIG_REFUSED. */
  write(next: readonly Share[]): Promise<void>;
  /** Puts the destinations back as they were, letter by letter. Throws as `write` does. */
  restore(before: readonly HTTPRouteDestination[]): Promise<void>;
  /** What an agent must have of it; undefined: it reads it when it is asked to. */
  seen(): WantedObject | undefined;
}

/** One version of an object of a cluster, or a later one. */
export interface WantedObject {
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  generation: number;
}

/** The route as it is in a mesh. Throws E_ROUTE_UNKNOWN. */
export function findShiftRoute(mesh: Mesh, { service, namespace, route, gateway }: ShiftTarget): FoundRoute {
  const { host } = findHost(mesh, service, namespace);
  const found = routesOf(mesh, host, gateway);
  const routes = found.find((r) => r.gateways.includes('mesh')) ?? found[0];
  if (routes === undefined)
    throw new FairleadError('E_ROUTE_UNKNOWN', `no VirtualService routes requests for ${host}`, {
      next: `\`fairlead route split ${service} SUBSET=100\` makes one, from which traffic can be moved.`,
    });
  const entry = chooseRoute(routes, route);
  const destinations = entry.route.route ?? [];
  if (destinations.length === 0)
    throw new FairleadError('E_ROUTE_UNKNOWN', 'this route sends requests to no service', { position: entry.position });
  return { mesh, host, entry, shares: sharesOf({ mesh, host, entry }, destinations) };
}

type Around = Pick<FoundRoute, 'mesh' | 'host' | 'entry'>;

/** Who gets how much. */
export function sharesOf({ mesh, host, entry }: Around, destinations: readonly HTTPRouteDestination[]): Share[] {
  const { namespace } = entry.resource.metadata;
  const own = mesh.completeHost(host, namespace);
  return destinations.map(({ destination, weight }) => ({
    host: mesh.completeHost(destination.host, namespace) === own ? undefined : destination.host,
    subset: destination.subset || undefined,
    weight: destinations.length === 1 ? 100 : (weight ?? 0),
  }));
}

/** A route's destinations with other shares. */
export function withNewShares({ mesh, host, entry }: Around, route: HTTPRoute, next: readonly Share[]): readonly HTTPRouteDestination[] {
  const complete = (name: string): string => mesh.completeHost(name, entry.resource.metadata.namespace);
  const own = route.route?.find((d) => complete(d.destination.host) === host)?.destination.host ?? host;
  return withShares(route, next, own, complete).route ?? [];
}

export const formatShares = (shares: readonly Share[]): string =>
  shares.map(({ host, subset, weight }) => `${[host, subset].filter(Boolean).join('/') || 'all'} ${weight}%`).join(', ');

interface StatusAnswer {
  config: { state: string; problems: readonly Problem[] };
  proxies: { name: string; sync: string; problems: readonly Problem[] }[];
}

/**
 * Has the agent read the configuration now. Resolves when every proxy runs it, with their number. Throws E_CONFIG_REFUSED, E_ENGINE_FAILED.
 *
 * @param wanted of a cluster: what the agent's watch must have brought first
 */
export async function syncAgent(agent: ShiftAgent, timeoutMs: number, wanted?: WantedObject): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  if (wanted !== undefined) await sawObject(agent, wanted, deadline, timeoutMs);
  for (;;) {
    const { config, proxies } = await agent.post<StatusAnswer>('/fairlead/v1/sync', {}, timeoutMs);
    if (config.state === 'refused')
      throw new FairleadError('E_CONFIG_REFUSED', 'the agent refuses the configuration', { problems: config.problems });
    const refused = proxies.find((proxy) => proxy.sync === 'ERROR');
    if (refused) throw new FairleadError('E_CONFIG_REFUSED', `${refused.name} refuses the configuration`, { problems: refused.problems });
    if (proxies.every((proxy) => proxy.sync === 'SYNCED')) return proxies.length;
    if (Date.now() > deadline) {
      const behind = proxies.filter((proxy) => proxy.sync !== 'SYNCED').map((proxy) => proxy.name);
      throw new FairleadError('E_ENGINE_FAILED', `these proxies do not have the change after ${timeoutMs / 1000} s: ${behind.join(', ')}`);
    }
    await new Promise((r) => setTimeout(r, 100));
  }
}

async function sawObject(agent: ShiftAgent, wanted: WantedObject, deadline: number, timeoutMs: number): Promise<void> {
  const { kind, namespace, name, uid, generation } = wanted;
  const query = new URLSearchParams({ kind, namespace, name });
  for (;;) {
    const there = await agent.getJson<readonly Partial<WantedObject>[]>(`/fairlead/v1/resources?${query}`);
    if (there.some((one) => one.uid === uid && (one.generation ?? 0) >= generation)) return;
    if (Date.now() > deadline)
      throw new FairleadError(
        'E_ENGINE_FAILED',
        `the agent does not have ${kind} ${namespace}/${name} as it is now after ${timeoutMs / 1000} s`,
        {
          next: there.some((one) => one.uid !== undefined && one.uid !== uid)
            ? 'It reads another cluster: name one that reads this one with --agent.'
            : '`fairlead agent status` shows what is in its way.',
        },
      );
    await new Promise((r) => setTimeout(r, 100));
  }
}

/**
 * Whether an agent reads a cluster: one that reads files only would never see what is written into one. Throws E_USAGE.
 */
export async function requireClusterAgent(agent: ShiftAgent): Promise<void> {
  const { cluster } = await agent.getJson<{ cluster?: string }>('/fairlead/v1/config');
  if (cluster !== undefined) return;
  throw new FairleadError('E_USAGE', 'this agent reads files: it would not see what is changed in the cluster', {
    next: 'Name one with --agent that runs with --kubernetes.',
  });
}

/** gRPC statuses that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_FAILURES: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** Whether a finished request failed by the upstream's fault: 5xx, gRPC's own failures, and answers that never came. */
export function isFailure({ status, grpc, grpcStatus, flags }: RequestRecord): boolean {
  if (status >= 500) return true;
  if (status === 0) return /UF|UH|UC|UT|UR|URX|UPE|LR/.test(flags);
  return grpc && grpcStatus !== undefined && GRPC_FAILURES.has(grpcStatus);
}

/** Every finished request to one destination, as the agent's proxies sent it. `ended` is called when the agent goes away. */
export function watchRequests(
  agent: ShiftAgent,
  to: { host: string; subset: string | undefined },
  sample: (sample: Sample) => void,
  ended: (why: string) => void,
): () => void {
  return agent.stream('/fairlead/v1/events?records=true', {
    line(value) {
      const record = (value as { request?: RequestRecord }).request;
      if (record === undefined || record.direction === 'inbound') return;
      const cluster = parseClusterName(record.upstreamCluster);
      if (cluster?.host === to.host && cluster.subset === (to.subset ?? ''))
        sample({ failed: isFailure(record), duration: record.duration });
    },
    ended: (error) => ended(error?.message ?? 'the agent ended'),
  });
}
