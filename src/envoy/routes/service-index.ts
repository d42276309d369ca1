import { coveringPatterns, isWildcard } from '../../mesh/host-match.ts';
import { getOrMake } from '../../mesh/memo.ts';
import type { EgressListenerView, Service, ServicePort, VirtualServiceView } from '../../mesh/types.ts';

/** A host on one port: all services that share it (one per address), and the port as the first one declares it. */
export interface HostOnPort {
  host: string;
  services: Service[];
  port: ServicePort;
}

/** Which of an egress listener's hosts have which port, in the listener's order. */
export type PortIndex = ReadonlyMap<number, ReadonlyMap<string, HostOnPort>>;

const indexes = new WeakMap<EgressListenerView['services'], PortIndex>();

/** Made once for a list of services. */
export function indexByPort({ services }: EgressListenerView): PortIndex {
  return getOrMake(indexes, services, makeIndex);
}

function makeIndex(services: EgressListenerView['services']): PortIndex {
  const index = new Map<number, Map<string, HostOnPort>>();
  for (const service of services) {
    if (service.resolution === 'alias') continue;
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue;
      const hosts = getOrMake(index, port.number, () => new Map<string, HostOnPort>());
      const found = hosts.get(service.host);
      if (found === undefined) hosts.set(service.host, { host: service.host, services: [service], port });
      else if (!found.services.includes(service)) found.services.push(service);
    }
  }
  return index;
}

/** Of each VirtualService with wildcard hosts: the services on a port for which it is the most specific one, by that wildcard. */
export function wildcardAssignments(
  virtualServices: readonly VirtualServiceView[],
  hosts: ReadonlyMap<string, HostOnPort>,
): ReadonlyMap<VirtualServiceView, ReadonlyMap<string, HostOnPort[]>> {
  const out = new Map<VirtualServiceView, Map<string, HostOnPort[]>>();
  if (!virtualServices.some((view) => view.hosts.some(isWildcard))) return out;
  const oldest = new Map<string, VirtualServiceView>();
  for (const view of virtualServices) for (const host of view.hosts) if (!oldest.has(host)) oldest.set(host, view);
  for (const entry of hosts.values()) {
    for (const host of coveringPatterns(entry.host)) {
      const view = oldest.get(host);
      if (view === undefined) continue;
      // An exact host attaches by itself, as does a wildcard that is a service's very name.
      if (host !== entry.host || isWildcard(host)) {
        getOrMake(
          getOrMake(out, view, () => new Map<string, HostOnPort[]>()),
          host,
          () => [],
        ).push(entry);
      }
      break;
    }
  }
  return out;
}
