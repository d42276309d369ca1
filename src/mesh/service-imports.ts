import { canMerge, type ServiceRegistry } from './service-registry.ts';
import type { Service } from './types.ts';

/** The services that a Sidecar's egress listeners import together. */
export interface ImportedServices {
  /** Adds a service, or a copy with some of its ports. What came first keeps the host; a Kubernetes service takes it from others. */
  add(service: Service): void;
  list(): readonly Service[];
}

interface Entry {
  lead: Service;
  /** Port numbers by the whole service. */
  ports: Map<Service, Set<number>>;
  aliases: Map<string, Service['aliases'][number]>;
}

/** Starts an empty set. Listeners that each import some ports of a service give it with all of these ports. */
export function importServices(registry: ServiceRegistry): ImportedServices {
  const byHost = new Map<string, Entry>();
  return {
    add(service) {
      const original = registry.originalOf(service);
      let entry = byHost.get(service.host);
      if (entry === undefined || (entry.lead.registry !== 'Kubernetes' && original.registry === 'Kubernetes')) {
        entry = { lead: original, ports: new Map(), aliases: new Map() };
        byHost.set(service.host, entry);
      } else if (entry.lead.resource !== original.resource && (original.registry === 'Kubernetes' || !canMerge(entry.lead, original))) {
        return;
      }
      const ports = entry.ports.get(original) ?? new Set();
      for (const port of service.ports) ports.add(port.number);
      entry.ports.set(original, ports);
      for (const alias of service.aliases) entry.aliases.set(alias.host, alias);
    },
    list: () =>
      [...byHost.values()].flatMap(({ ports, aliases }) =>
        [...ports].map(([service, numbers]) =>
          registry.derive(service, {
            ports: service.ports.filter((p) => numbers.has(p.number)),
            aliases: service.aliases.filter((a) => aliases.has(a.host)),
          }),
        ),
      ),
  };
}
