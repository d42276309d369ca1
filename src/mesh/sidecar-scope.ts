import type { IstioEgressListener, Sidecar } from '../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { visitHttpDestinations, visitLayer4Destinations } from './destinations.ts';
import { parseEgressHosts } from './egress-hosts.ts';
import { isExportedTo } from './export-to.ts';
import { resolveHostConflicts } from './host-conflicts.ts';
import { completeHost } from './host-match.ts';
import { getOrMake } from './memo.ts';
import { parseProtocol } from './protocol.ts';
import { type ImportedServices, importServices } from './service-imports.ts';
import type { ServiceRegistry } from './service-registry.ts';
import type { EgressListenerView, ResolvedMeshConfig, Service, VirtualServiceView } from './types.ts';
import type { VirtualServices } from './virtual-services.ts';

/** The part of a proxy's scope that all proxies of a namespace with the same Sidecar share. */
export interface SharedScope {
  services: readonly Service[];
  serviceByHost(host: string): Service | undefined;
  egress: readonly EgressListenerView[];
  virtualServices: readonly VirtualServiceView[];
}

/** What scopes are computed from. */
export interface ScopeInputs {
  config: ResolvedMeshConfig;
  registry: ServiceRegistry;
  virtualServices: VirtualServices;
}

/** An alias is nothing without the service that it stands for. */
function isReachable(service: Service, { registry }: ScopeInputs): boolean {
  if (service.resolution !== 'alias') return true;
  const target = registry.byHost.get(service.aliasOf ?? '');
  return target?.some((s) => s.resolution !== 'alias') ?? false;
}

/** Services exported to `namespace`, host conflicts not yet decided. */
export function exportedServices(namespace: string, inputs: ScopeInputs): readonly Service[] {
  return inputs.registry.services.filter((s) => isExportedTo(s.exportTo, namespace) && isReachable(s, inputs));
}

function byHostOf(services: readonly Service[], registry: ServiceRegistry): (host: string) => Service | undefined {
  let byHost: Map<string, Service> | undefined;
  return (host) => {
    if (byHost === undefined) {
      byHost = new Map();
      for (const service of services) {
        const first = byHost.get(service.host);
        if (first === undefined) {
          byHost.set(service.host, service);
          continue;
        }
        // Other addresses of the host may bring other ports.
        const more = service.ports.filter((port) => !first.ports.some((p) => p.number === port.number));
        if (more.length > 0) byHost.set(service.host, registry.unite(first, service));
      }
    }
    return byHost.get(host);
  };
}

interface Visible {
  services: readonly Service[];
  serviceByHost(host: string): Service | undefined;
}

/** By registry, which outlives a routing when no service changed. */
const visible = new WeakMap<ServiceRegistry, Map<string, Visible>>();

function visibleServices(namespace: string, inputs: ScopeInputs): Visible {
  const byNamespace = getOrMake(visible, inputs.registry, () => new Map<string, Visible>());
  return getOrMake(byNamespace, namespace, () => {
    const services = resolveHostConflicts(exportedServices(namespace, inputs), namespace);
    return { services, serviceByHost: byHostOf(services, inputs.registry) };
  });
}

/** The scope without a Sidecar: everything that is visible in the namespace, on one catch-all listener. */
export function namespaceScope(namespace: string, gateway: boolean, inputs: ScopeInputs): SharedScope {
  const { services, serviceByHost } = visibleServices(namespace, inputs);
  const virtualServices = gateway ? inputs.virtualServices.visibleIn(namespace) : inputs.virtualServices.attachedTo('mesh', namespace);
  return {
    services,
    serviceByHost,
    egress: [{ port: undefined, bind: undefined, captureMode: 'DEFAULT', services, virtualServices, path: undefined }],
    virtualServices,
  };
}

function listenerView(
  listener: IstioEgressListener,
  path: FieldPath | undefined,
  where: { namespace: string; exported: readonly Service[]; inputs: ScopeInputs },
): EgressListenerView {
  const { namespace, exported, inputs } = where;
  const { registry } = inputs;
  const hosts = parseEgressHosts(listener.hosts, namespace);
  const number = listener.port?.number ?? 0;
  const protocol = parseProtocol(listener.port?.protocol);
  const onePort = number !== 0 && protocol !== 'HTTP_PROXY';
  const imported: Service[] = [];
  for (const service of exported) {
    if (!hosts.importsService(service.namespace, service.host)) continue;
    const aliases = service.aliases.every((a) => hosts.importsService(service.namespace, a.host))
      ? service.aliases
      : service.aliases.filter((a) => hosts.importsService(service.namespace, a.host));
    const ports = onePort ? service.ports.filter((p) => p.number === number) : service.ports;
    if (onePort && ports.length === 0) continue;
    imported.push(registry.derive(service, { ports, aliases }));
  }
  return {
    port: listener.port === undefined ? undefined : { number, protocol, name: listener.port.name ?? '' },
    bind: listener.bind || undefined,
    captureMode: listener.captureMode ?? 'DEFAULT',
    services: resolveHostConflicts(imported, namespace),
    virtualServices: inputs.virtualServices
      .attachedTo('mesh', namespace)
      .filter((vs) => hosts.importsVirtualService(vs.resource.metadata.namespace, vs.hosts)),
    path,
  };
}

/** Ports of every host that a VirtualService sends something to from `namespace`; 0 stands for any. */
function destinationsOf(view: VirtualServiceView, namespace: string, domain: string): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  const add = (host: string, port: number, from: Resource): void => {
    const complete = completeHost(host, from.metadata.namespace, domain);
    const ports = found.get(complete);
    if (ports) ports.add(port);
    else found.set(complete, new Set([port]));
  };
  view.spec.http?.forEach((route, index) => {
    // Rules for clients of other namespaces never route anything here.
    if (route.match?.length && route.match.every((m) => m.sourceNamespace && m.sourceNamespace !== namespace)) return;
    const from = view.httpOrigins[index]?.resource ?? view.resource;
    visitHttpDestinations(route, (d) => add(d.host, d.port?.number ?? 0, from));
  });
  visitLayer4Destinations(view.spec, (d) => add(d.host, d.port?.number ?? 0, view.resource));
  return found;
}

/** Destinations of imported VirtualServices come along, even if no egress host names them. */
function importDestinations(listener: EgressListenerView, into: ImportedServices, namespace: string, inputs: ScopeInputs): void {
  const { registry, config } = inputs;
  const onePort = listener.port !== undefined && listener.port.number !== 0 && listener.port.protocol !== 'HTTP_PROXY';
  for (const view of listener.virtualServices) {
    for (const [host, wanted] of destinationsOf(view, namespace, config.domain)) {
      const visible = (registry.byHost.get(host) ?? []).filter((s) => isExportedTo(s.exportTo, namespace) && isReachable(s, inputs));
      for (const service of resolveHostConflicts(visible, namespace)) {
        const number = listener.port?.number;
        const ports = service.ports.filter((p) => (onePort ? p.number === number : wanted.has(0) || wanted.has(p.number)));
        if (ports.length > 0) into.add(registry.derive(service, { ports }));
      }
    }
  }
}

/** The scope that a Sidecar gives to the proxies of `namespace` (which is not the Sidecar's when it is the root namespace's). */
export function sidecarScope(sidecar: Resource<Sidecar>, namespace: string, inputs: ScopeInputs): SharedScope {
  const exported = exportedServices(namespace, inputs);
  const where = { namespace, exported, inputs };
  const listeners = sidecar.spec.egress ?? [];
  const egress =
    listeners.length === 0
      ? [listenerView({ hosts: ['*/*'] }, undefined, where)]
      : listeners.map((listener, index) => listenerView(listener, ['spec', 'egress', index], where));
  const imported = importServices(inputs.registry);
  const views = new Set<VirtualServiceView>();
  for (const listener of egress) {
    for (const service of listener.services) imported.add(service);
    importDestinations(listener, imported, namespace, inputs);
    for (const view of listener.virtualServices) views.add(view);
  }
  const services = imported.list();
  return {
    services,
    serviceByHost: byHostOf(services, inputs.registry),
    egress,
    virtualServices: inputs.virtualServices.attachedTo('mesh', namespace).filter((view) => views.has(view)),
  };
}
