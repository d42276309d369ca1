import type { KubernetesService } from '../../config/kinds/kubernetes.ts';
import type { Server } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { hostsOverlap } from '../../config/semantics/names.ts';
import { hostsForNamespace, parseServerHost } from '../../envoy/gateways/hosts.ts';
import { gatewayProxies } from '../../mesh/gateway-proxies.ts';
import { isSubset, type Labels } from '../../mesh/labels.ts';
import type { GatewayView, Mesh, ProxyScope, VirtualServiceView } from '../../mesh/types.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { destinationsOf, type PlacedDestination } from '../model/virtual-service-parts.ts';
import { type Exposure, type Reference, referenceTo } from './types.ts';

/** A way in, and the labels that an instance of the service must have to be at its end. */
interface Way {
  readonly exposure: Exposure;
  readonly subset: Labels;
}

/** The ways in from outside of the mesh that lead to a service's port and an instance with these labels. */
export type Exposures = (service: Resource, port: number, labels: Labels) => readonly Exposure[];

/** A service's port as a key; without a port those that are for all of its ports. */
export const exposureKey = ({ kind, metadata }: Resource, port: number | undefined): string =>
  `${kind} ${metadata.namespace}/${metadata.name}:${port ?? '*'}`;

/** Every route from a Gateway's proxy to a service, and every Service with an address outside of the cluster. */
export function findExposures(model: AnalysisModel, mesh: Mesh): Exposures {
  const found = new Map<string, Way[]>();
  const seen = new Set<string>();
  const add = (key: string, way: Way): void => {
    const list = found.get(key);
    if (list === undefined) found.set(key, [way]);
    else list.push(way);
  };
  for (const proxy of gatewayProxies(mesh)) {
    const scope = mesh.scope(proxy);
    for (const gateway of scope.gateways) {
      for (const view of scope.virtualServicesFor(gateway.key)) {
        const servers = serversFor(gateway, view);
        if (servers.length === 0) continue;
        for (const placed of destinationsOf(view.spec)) {
          const { destination, use } = placed;
          const service = scope.serviceByHost(mesh.completeHost(destination.host, view.resource.metadata.namespace));
          if (service === undefined || use === 'mirror') continue;
          const subset = destination.subset === undefined ? {} : subsetLabels(scope, service, destination.subset);
          const key = exposureKey(service.resource, destination.port?.number);
          for (const server of servers) {
            // What two routes of one object, or two proxies of one Gateway, say is said once.
            const same = JSON.stringify([key, subset, gateway.key, server.tls, server.hosts]);
            if (seen.has(same)) continue;
            seen.add(same);
            add(key, { subset, exposure: { ...server, references: [...server.references, placeOf(view, placed)] } });
          }
        }
      }
    }
  }
  for (const service of model.of<KubernetesService>('Service')) {
    const { type } = service.spec as { type?: string };
    if (type !== 'LoadBalancer' && type !== 'NodePort') continue;
    const exposure: Exposure = { by: 'service', tls: false, hosts: [], references: [referenceTo(service, ['spec', 'type'])] };
    add(exposureKey(service, undefined), { subset: {}, exposure });
  }
  return (service, port, labels) =>
    [exposureKey(service, port), exposureKey(service, undefined)].flatMap((key) =>
      (found.get(key) ?? []).filter(({ subset }) => isSubset(subset, labels)).map(({ exposure }) => exposure),
    );
}

/** A subset that no rule declares has no instances, but where routes are wrong nothing is called safe: it counts as all of them. */
function subsetLabels(scope: ProxyScope, service: Parameters<ProxyScope['destinationRule']>[0], name: string): Labels {
  return scope.destinationRule(service)?.spec.subsets?.find((subset) => subset.name === name)?.labels ?? {};
}

/** The servers of a Gateway that a route's hosts are on; those that only redirect to HTTPS let nothing in. */
function serversFor(gateway: GatewayView, { hosts: wanted, resource }: VirtualServiceView): Exposure[] {
  const { namespace } = gateway.resource.metadata;
  return (gateway.spec.servers ?? []).flatMap((server, i): Exposure[] => {
    const served = hostsForNamespace(
      (server.hosts ?? []).map((host) => parseServerHost(host, namespace)),
      resource.metadata.namespace,
    );
    const hosts = wanted.filter((host) => served.some((other) => hostsOverlap(host, other)));
    if (hosts.length === 0 || onlyRedirects(server)) return [];
    const tls = /^(?:https|tls)$/i.test(server.port.protocol);
    return [{ by: 'gateway', tls, hosts, references: [referenceTo(gateway.resource, gateway.serverPath(i))] }];
  });
}

const onlyRedirects = ({ tls }: Server): boolean => tls?.httpsRedirect === true && (tls.mode === undefined || tls.mode === 'PASSTHROUGH');

/** Where a destination was written: a delegate's own place, and for routes of the Gateway API that of their rule. */
function placeOf({ resource, httpOrigins, layer4Path }: VirtualServiceView, { at, protocol }: PlacedDestination): Reference {
  const origin = protocol === 'http' ? httpOrigins[at[2] as number] : undefined;
  const owner = origin?.resource ?? resource;
  const rule: FieldPath = origin?.path ?? layer4Path ?? at.slice(0, 3);
  return referenceTo(owner, owner.kind === 'VirtualService' ? [...rule, ...at.slice(3)] : rule);
}
