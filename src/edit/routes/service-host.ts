import { closest, distance } from 'fastest-levenshtein';
import type { VirtualService } from '../../config/kinds/networking.ts';
import { FairleadError } from '../../errors.ts';
import type { Mesh, Service } from '../../mesh/types.ts';

/** A host that requests are routed for: a service, or a name that only VirtualServices know, as a gateway's. */
export interface RoutedHost {
  /** Complete and lower case. */
  host: string;
  service: Service | undefined;
}

/**
 * The host that a person means: `reviews`, `reviews.NAMESPACE`, a complete name, or any host of a VirtualService. Throws
 * E_SERVICE_UNKNOWN with the names there are.
 */
export function findHost(mesh: Mesh, name: string, namespace: string): RoutedHost {
  const lower = name.toLowerCase();
  const wanted = [mesh.completeHost(lower, namespace), `${lower}.svc.${mesh.config.domain}`, lower];
  for (const host of wanted) {
    const service = mesh.services.find((s) => s.host === host);
    if (service) return { host, service };
  }
  const routed = routedHosts(mesh);
  const host = wanted.find((candidate) => routed.has(candidate));
  if (host !== undefined) return { host, service: undefined };
  for (const { host: known } of mesh.services) routed.delete(known);
  const names = [...new Set([...mesh.services.map((s) => shortName(s)), ...routed])].sort();
  throw new FairleadError('E_SERVICE_UNKNOWN', `there is no service ${name} in this configuration`, { next: advice(name, names) });
}

function routedHosts(mesh: Mesh): Set<string> {
  const hosts = new Set<string>();
  for (const { spec, metadata } of mesh.ofKind<VirtualService>('VirtualService'))
    for (const host of spec.hosts ?? []) hosts.add(mesh.completeHost(host, metadata.namespace));
  return hosts;
}

const shortName = ({ registry, name, namespace, host }: Service): string => (registry === 'Kubernetes' ? `${name}.${namespace}` : host);

function advice(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'It has no services at all: is this the right folder?';
  const near = closest(name, [...names]);
  const close = distance(name, near.split('.')[0] ?? near) <= Math.max(2, name.length / 3);
  const shown = names.slice(0, 20).join(', ');
  return `${close ? `Did you mean ${near}? ` : ''}There are: ${shown}${names.length > 20 ? `, and ${names.length - 20} more` : ''}.`;
}
