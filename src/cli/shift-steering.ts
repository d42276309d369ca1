/** How a shift acts on files and hears from a running agent. */
import type { HTTPRouteDestination } from '../config/kinds/networking.ts';
import { checkChanges } from '../edit/check-changes.ts';
import { createDraft } from '../edit/draft.ts';
import { chooseRoute, type RouteEntry, routesOf } from '../edit/routes/find-routes.ts';
import { findHost } from '../edit/routes/service-host.ts';
import { type Share, withShares } from '../edit/routes/split.ts';
import { writeChanges } from '../edit/write-changes.ts';
import { parseClusterName } from '../envoy/names.ts';
import { FairleadError, type Problem } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';
import type { Sample } from '../shift/gates.ts';
import { isSameSplit } from '../shift/shares.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';

/** What a shift needs of an agent's client. */
export interface ShiftAgent {
  post<T>(path: string, body?: unknown, timeoutMs?: number): Promise<T>;
  stream(path: string, on: { open?(): void; line(value: unknown): void; ended(error?: Error): void }): () => void;
}

/** Where the route is, and how to read the configuration anew. */
export interface ShiftTarget {
  service: string;
  namespace: string;
  route: string | undefined;
  gateway: string | undefined;
  paths: readonly string[];
  /** Loads and models the files as they are now. */
  load(): Promise<Mesh>;
}

interface Found {
  mesh: Mesh;
  host: string;
  entry: RouteEntry;
  shares: Share[];
}

/** The route as it is now. Throws E_ROUTE_UNKNOWN. */
export async function findShiftRoute({ service, namespace, route, gateway, load }: ShiftTarget): Promise<Found> {
  const mesh = await load();
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
  const own = mesh.completeHost(host, entry.resource.metadata.namespace);
  const shares = destinations.map(({ destination, weight }): Share => {
    const complete = mesh.completeHost(destination.host, entry.resource.metadata.namespace);
    return {
      host: complete === own ? undefined : destination.host,
      subset: destination.subset || undefined,
      weight: destinations.length === 1 ? 100 : (weight ?? 0),
    };
  });
  return { mesh, host, entry, shares };
}

export const formatShares = (shares: readonly Share[]): string =>
  shares.map(({ host, subset, weight }) => `${[host, subset].filter(Boolean).join('/') || 'all'} ${weight}%`).join(', ');

/** Writes a split, if the route still has the one that is expected. Throws E_FILE_CHANGED when somebody else changed it, E_CONFIG_REFUSED. */
export function writeShares(target: ShiftTarget, expected: readonly Share[], next: readonly Share[]): Promise<void> {
  return replaceDestinations(target, expected, ({ mesh, host, entry }) => {
    const complete = (name: string): string => mesh.completeHost(name, entry.resource.metadata.namespace);
    const own = entry.route.route?.find((d) => complete(d.destination.host) === host)?.destination.host ?? host;
    return withShares(entry.route, next, own, complete).route;
  });
}

/** Puts a route's destinations back as they were, letter by letter. Throws as `writeShares` does. */
export function restoreDestinations(
  target: ShiftTarget,
  expected: readonly Share[],
  before: readonly HTTPRouteDestination[],
): Promise<void> {
  return replaceDestinations(target, expected, () => before);
}

async function replaceDestinations(
  target: ShiftTarget,
  expected: readonly Share[],
  next: (found: Found) => readonly HTTPRouteDestination[] | undefined,
): Promise<void> {
  const found = await findShiftRoute(target);
  const { host, entry, shares } = found;
  if (!isSameSplit(shares, expected))
    throw new FairleadError('E_FILE_CHANGED', `the route of ${host} was changed by somebody else: it is ${formatShares(shares)} now`, {
      position: entry.position,
      next: 'The shift ends here and leaves it as it is.',
    });
  const draft = createDraft();
  draft.set(entry.resource, [...entry.path, 'route'], next(found));
  const changes = draft.changes();
  if (changes.length === 0) return;
  await checkChanges(target.paths, { namespace: target.namespace }, changes);
  await writeChanges(changes);
}

interface StatusAnswer {
  config: { state: string; problems: readonly Problem[] };
  proxies: { name: string; sync: string; problems: readonly Problem[] }[];
}

/** Has the agent read the files now. Resolves when every proxy runs them, with their number. Throws E_CONFIG_REFUSED. */
export async function syncAgent(agent: ShiftAgent, timeoutMs: number): Promise<number> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
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
