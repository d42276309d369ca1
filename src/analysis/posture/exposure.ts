import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { Gateway, VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { hostsOverlap } from '../../config/semantics/names.ts';
import { boundGateways } from '../analyzers/gateway-references.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { destinationsOf } from '../model/virtual-service-parts.ts';
import { type Exposure, referenceTo } from './types.ts';

/** Ways in from outside of the mesh, by Service and port: `key(service, port)`. */
export type Exposures = ReadonlyMap<string, readonly Exposure[]>;

/** A Service's port as a key; without a port those that are for all of its ports. */
export const exposureKey = ({ metadata }: Resource, port: number | undefined): string =>
  `${metadata.namespace}/${metadata.name}:${port ?? '*'}`;

/** Every route from a Gateway to a Service, and every Service with an address outside of the cluster. */
export function findExposures(model: AnalysisModel): Exposures {
  const found = new Map<string, Exposure[]>();
  const add = (key: string, exposure: Exposure): void => void found.set(key, [...(found.get(key) ?? []), exposure]);
  for (const resource of model.of<VirtualService>('VirtualService')) {
    const ways = boundGateways(model, resource).flatMap((gateway) => serversFor(gateway, resource));
    if (ways.length === 0) continue;
    const seen = new Set<string>();
    for (const { destination, at, use } of destinationsOf(resource.spec)) {
      const service = model.hosts.lookup(resource.metadata.namespace, resource.spec.exportTo, destination.host)?.resource;
      if (service?.kind !== 'Service' || use === 'mirror') continue;
      const key = exposureKey(service, destination.port?.number);
      for (const way of ways) {
        if (seen.has(`${key} ${way.tls}`)) continue;
        seen.add(`${key} ${way.tls}`);
        add(key, { ...way, references: [...way.references, referenceTo(resource, at)] });
      }
    }
  }
  for (const service of model.of<KubernetesService>('Service')) {
    const { type } = service.spec as { type?: string };
    if (type !== 'LoadBalancer' && type !== 'NodePort') continue;
    add(exposureKey(service, undefined), { by: 'service', tls: false, hosts: [], references: [referenceTo(service, ['spec', 'type'])] });
  }
  return found;
}

/** The servers of a Gateway that a VirtualService's hosts are on; those that only redirect to HTTPS let nothing in. */
function serversFor(gateway: Resource<Gateway>, { spec }: Resource<VirtualService>): Exposure[] {
  return (gateway.spec.servers ?? []).flatMap((server, i): Exposure[] => {
    const served = server.hosts.map((host) => host.slice(host.indexOf('/') + 1));
    const hosts = (spec.hosts ?? []).filter((host) => served.some((other) => hostsOverlap(host, other)));
    const redirects = server.tls?.httpsRedirect && (server.tls.mode === undefined || server.tls.mode === 'PASSTHROUGH');
    if (hosts.length === 0 || redirects) return [];
    const tls = /^(?:https|tls)$/i.test(server.port.protocol);
    return [{ by: 'gateway', tls, hosts, references: [referenceTo(gateway, ['spec', 'servers', i])] }];
  });
}
