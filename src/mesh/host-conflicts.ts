import { canMerge } from './service-registry.ts';
import type { Service } from './types.ts';

/** Lower wins: the client's own namespace, then Kubernetes, then the first. */
function rank(service: Service, namespace: string): number {
  return (service.namespace === namespace ? 0 : 2) + (service.registry === 'Kubernetes' ? 0 : 1);
}

/**
 * The services of `services` (oldest first) that clients in `namespace` reach by their hosts: one resource's for each host, and those
 * that agree with it but have other addresses.
 */
export function resolveHostConflicts(services: readonly Service[], namespace: string): readonly Service[] {
  const winners = new Map<string, Service>();
  let conflict = false;
  for (const service of services) {
    const current = winners.get(service.host);
    if (current === undefined) {
      winners.set(service.host, service);
    } else {
      conflict = true;
      if (rank(service, namespace) < rank(current, namespace)) winners.set(service.host, service);
    }
  }
  if (!conflict) return services;
  return services.filter((service) => {
    const winner = winners.get(service.host) as Service;
    return winner === service || winner.resource === service.resource || (winner.registry === 'External' && canMerge(winner, service));
  });
}
