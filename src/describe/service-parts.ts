/** The parts of a service's description that other descriptions have as well. */
import type { Destination, DestinationRule, VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { type Exposure, exposuresOf } from '../explain/exposures.ts';
import { visitHttpDestinations, visitLayer4Destinations } from '../mesh/destinations.ts';
import { gatewayProxies } from '../mesh/gateway-proxies.ts';
import { covers } from '../mesh/host-match.ts';
import type { DestinationRuleView, Mesh, ProxyNode, Service, ServicePort } from '../mesh/types.ts';
import { proxyName } from './clients.ts';
import { countEndpoints } from './count-endpoints.ts';
import { mtlsMode } from './mtls.ts';
import { originAt } from './origin-at.ts';
import { tablesOf } from './route-table.ts';
import { trafficPolicy } from './traffic-policy.ts';
import type { EndpointCount, PortMtls, Reference, ResourceUse, RouteDestination, RouteUse, Shadow, SubsetDescription } from './types.ts';

/** Adds what the model knows of endpoints to destinations, and why one of them fails. */
export function withEndpoints(mesh: Mesh, proxy: ProxyNode, use: RouteUse): RouteUse {
  return { ...use, destinations: use.destinations.map((d) => ({ ...d, ...endpointsOf(mesh, proxy, d) })) };
}

function endpointsOf(
  mesh: Mesh,
  proxy: ProxyNode,
  { service: host, port, subset }: RouteDestination,
): { endpoints?: EndpointCount; fails?: string } {
  if (host === undefined || port === undefined) return {};
  const scope = mesh.scope(proxy);
  const service = scope.serviceByHost(host);
  if (service === undefined) return { fails: `${proxyName(proxy)} sees no service ${host}` };
  const found = service.ports.find((p) => p.number === port);
  if (found === undefined) return { fails: `${host} has no port ${port}` };
  const labels = subset === undefined ? {} : scope.destinationRule(service)?.spec.subsets?.find((s) => s.name === subset)?.labels;
  const defined = subset === undefined || scope.destinationRule(service)?.spec.subsets?.some((s) => s.name === subset);
  if (!defined) return { fails: `no DestinationRule that it uses defines subset ${subset}` };
  if (service.resolution === 'passthrough' || service.resolution === 'dynamic-dns') return {};
  const endpoints = countEndpoints(mesh, service, found, labels ?? {});
  return {
    endpoints,
    ...(endpoints.usable === 0 &&
      !endpoints.planned && { fails: endpoints.total === 0 ? 'it has no endpoints' : 'none of its endpoints is usable' }),
  };
}

/** The subsets that a proxy uses of a service. */
export function subsetsOf(
  mesh: Mesh,
  rule: DestinationRuleView | undefined,
  service: Service,
  routes: readonly RouteUse[],
): SubsetDescription[] {
  return (rule?.spec.subsets ?? []).map((subset, i) => {
    const origin = rule!.subsetOrigins[i]!;
    const labels = subset.labels ?? {};
    const blocks = service.ports.flatMap((port) =>
      trafficPolicy(mesh, rule, port, subset.name).filter((b) => b.level.startsWith('subset')),
    );
    const usedBy = routes.filter(
      (r) => r.shadow === undefined && r.destinations.some((d) => d.service === service.host && d.subset === subset.name),
    );
    return {
      name: subset.name,
      labels,
      origin: originAt(origin.resource, origin.path),
      endpoints: service.ports.map((port) => ({ port: port.number, ...countEndpoints(mesh, service, port, labels) })),
      trafficPolicy: [...new Map(blocks.map((b) => [`${b.block} ${b.text}`, b])).values()],
      usedBy: usedBy.flatMap((r) => (r.origin === undefined ? [] : [r.origin])),
    };
  });
}

/** The proxies of the workloads behind a service. */
export function serversOf(mesh: Mesh, service: Service, all: readonly ProxyNode[]): ProxyNode[] {
  return all.filter((p) => p.workload.kind !== 'implied' && mesh.scope(p).instances.some((i) => i.service.host === service.host));
}

/** A proxy behind a service, and the workload's own port. */
interface Serving {
  proxy: ProxyNode;
  target: number | undefined;
}

/** What servers accept on a port and what clients send, as Istio decides it, and what is so today. */
export function portMtls(
  mesh: Mesh,
  rule: DestinationRuleView | undefined,
  service: Service,
  port: ServicePort,
  servers: readonly ProxyNode[],
): PortMtls {
  const groups = new Map<string, { mode: ReturnType<typeof mtlsMode>; workloads: string[] }>();
  const serving: Serving[] = [];
  for (const proxy of servers) {
    const target = mesh.scope(proxy).instances.find((i) => i.service.host === service.host && i.port.number === port.number)?.targetPort;
    serving.push({ proxy, target });
    const mode = mtlsMode(mesh, proxy, target);
    const key = JSON.stringify([mode.mode, mode.unguarded, mode.origin?.config, mode.origin?.field]);
    const group = groups.get(key) ?? { mode, workloads: [] };
    groups.set(key, group);
    group.workloads.push(proxyName(proxy));
  }
  const server = [...groups.values()].map(({ mode, workloads }) => ({ ...mode, workloads }));
  const tls = trafficPolicy(mesh, rule, port).find((b) => b.block === 'tls');
  const asked = (tls?.value as { mode?: string } | undefined)?.mode;
  const automatic = mesh.config.enableAutoMtls !== false && !service.external;
  const mode = asked ?? (automatic ? 'automatic' : 'DISABLE');
  const conflict = conflictOf(mode, server);
  const today = todayOf(mesh, mode, server, serving);
  return {
    server,
    client: { mode, ...(tls?.origin && { origin: tls.origin }) },
    ...(conflict !== undefined && { conflict }),
    ...(today !== undefined && { today }),
  };
}

function conflictOf(mode: string, server: PortMtls['server']): string | undefined {
  const strict = server.find((s) => s.mode === 'STRICT');
  const plain = server.find((s) => s.mode === 'DISABLE');
  if (mode === 'DISABLE' && strict) return `clients send plain text, which ${strict.workloads.join(', ')} would refuse`;
  if ((mode === 'ISTIO_MUTUAL' || mode === 'MUTUAL') && plain)
    return `clients send mutual TLS, which ${plain.workloads.join(', ')} would not understand`;
  return undefined;
}

/**
 * Workloads that are called themselves: nothing intercepts for them, and no ingress port of a Sidecar is there to take mesh TLS. That
 * counts where a policy or a rule reckons with mesh TLS.
 */
function todayOf(mesh: Mesh, mode: string, server: PortMtls['server'], servers: readonly Serving[]): string | undefined {
  if (mode !== 'ISTIO_MUTUAL' && !server.some((s) => s.mode === 'STRICT')) return undefined;
  const bare = servers.filter(
    ({ proxy, target }) =>
      proxy.interception === 'NONE' && proxy.type === 'sidecar' && !mesh.scope(proxy).ingress?.some((i) => i.port.number === target),
  );
  if (bare.length === 0) return undefined;
  const names = bare.map(({ proxy }) => proxyName(proxy)).join(', ');
  return `plain text: nothing intercepts connections to ${names}, and no Sidecar ingress listens there, so the application is called itself`;
}

/** Everything that gateways serve from a service. */
export function exposedBy(mesh: Mesh, matches: (exposure: Exposure) => boolean): (Exposure & { gateway: string })[] {
  return gatewayProxies(mesh).flatMap((proxy) =>
    exposuresOf(tablesOf(mesh, proxy).view)
      .filter(matches)
      .map((exposure) => ({ gateway: proxyName(proxy), ...exposure })),
  );
}

/** Rules for other hosts that send something to a host. */
export function referencesTo(mesh: Mesh, host: string): Reference[] {
  return mesh.ofKind<VirtualService>('VirtualService').flatMap((resource) => {
    const { namespace } = resource.metadata;
    const hosts = hostsOf(mesh, resource);
    if (hosts.includes(host)) return [];
    const found: Reference[] = [];
    const add = (d: Destination, path: readonly (string | number)[], mirrored: boolean): void => {
      if (mesh.completeHost(d.host, namespace) !== host) return;
      const to = [d.subset && `subset ${d.subset}`, d.port?.number && `port ${d.port.number}`].filter(Boolean).join(', ');
      found.push({
        origin: originAt(resource, path),
        hosts,
        what: `${mirrored ? 'mirrors' : 'sends'} requests here${to === '' ? '' : ` (${to})`}`,
      });
    };
    for (const [i, rule] of (resource.spec.http ?? []).entries())
      visitHttpDestinations(rule, (d, path) => add(d, ['spec', 'http', i, ...path], String(path[0]).startsWith('mirror')));
    visitLayer4Destinations(resource.spec, (d, path) => add(d, path, false));
    return found;
  });
}

/** Of a delegate those of the VirtualServices that it is part of. */
function hostsOf(mesh: Mesh, { spec, metadata }: Resource<VirtualService>): string[] {
  if (spec.hosts?.length) return spec.hosts.map((h) => mesh.completeHost(h, metadata.namespace));
  const roots = mesh
    .ofKind<VirtualService>('VirtualService')
    .filter((r) =>
      (r.spec.http ?? []).some(
        ({ delegate: d }) => d?.name === metadata.name && (d.namespace || r.metadata.namespace) === metadata.namespace,
      ),
    );
  return [...new Set(roots.filter((r) => r.spec.hosts?.length).flatMap((r) => hostsOf(mesh, r)))];
}

/** The DestinationRules for a host, and what a proxy uses of them. */
export function destinationRulesOf(mesh: Mesh, service: Service, proxy: ProxyNode): ResourceUse[] {
  const used = mesh.scope(proxy).destinationRule(service);
  const merged = new Set<Resource>(used === undefined ? [] : [used.resource, ...used.subsetOrigins.map((o) => o.resource)]);
  return mesh.ofKind<DestinationRule>('DestinationRule').flatMap((resource): ResourceUse[] => {
    const { namespace } = resource.metadata;
    const host = mesh.completeHost(resource.spec.host, namespace);
    if (!covers(host, service.host)) return [];
    const origin = originAt(resource);
    const shadows = mesh.problems
      .filter((p) => p.rule.startsWith('destination-rule/') && p.origin === `DestinationRule ${namespace}/${resource.metadata.name}`)
      .map((p): Shadow => ({ why: p.message }));
    const own = resource.spec.trafficPolicy !== undefined && resource.spec.trafficPolicy === used?.spec.trafficPolicy;
    if (merged.has(resource) || own) return [{ origin, state: shadows.length > 0 ? 'partly' : 'acts', shadows }];
    if (used === undefined)
      return [
        {
          origin,
          state: 'ignored',
          shadows: [{ why: `${proxyName(proxy)} does not see it: its exportTo or workloadSelector, or its namespace, leaves it out` }],
        },
      ];
    const why =
      shadows[0]?.why ??
      'a client uses one rule for a host: of its own namespace, else the service’s, else the root namespace’s, the most specific host first';
    return [{ origin, state: 'ignored', shadows: [{ why, by: originAt(used.resource) }] }];
  });
}
