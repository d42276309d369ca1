import type { ServiceEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { plainAddress } from './addresses.ts';
import { normaliseExportTo } from './export-to.ts';
import { isWildcard } from './host-match.ts';
import { labelOf } from './labels.ts';
import { problemAt, type Report } from './problem.ts';
import { parseProtocol } from './protocol.ts';
import { capExportTo } from './service-entry-visibility.ts';
import type { ServiceContext } from './services-kubernetes.ts';
import type { Resolution, Service, ServicePort } from './types.ts';

const resolutions: Readonly<Record<string, Resolution>> = {
  NONE: 'passthrough',
  STATIC: 'static',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  DYNAMIC_DNS: 'dynamic-dns',
};

/** Ports that a dynamic forward proxy can serve: the request or handshake names its host. */
const dynamicPorts: ReadonlySet<string> = new Set(['HTTP', 'HTTP2', 'GRPC', 'TLS']);

function ports(resource: Resource<ServiceEntry>, resolution: Resolution, report: Report): ServicePort[] {
  const out: ServicePort[] = [];
  resource.spec.ports?.forEach((port, index) => {
    const path = ['spec', 'ports', index];
    const protocol = parseProtocol(port.protocol);
    if (protocol === 'UDP') {
      report(
        problemAt(resource, [...path, 'protocol'], {
          severity: 'warning',
          rule: 'unsupported/udp-port',
          message: `port ${port.number} is UDP, which no proxy of the mesh serves; the port is left out`,
        }),
      );
      return;
    }
    if (resolution === 'dynamic-dns' && !dynamicPorts.has(protocol)) {
      report(
        problemAt(resource, path, {
          severity: 'warning',
          rule: 'service-entry/dynamic-dns-port',
          message: `port ${port.number} gets no cluster: DYNAMIC_DNS serves HTTP, HTTP2, GRPC and TLS only`,
        }),
      );
    }
    out.push({ name: port.name, number: port.number, targetPort: port.targetPort || port.number, protocol, path });
  });
  return out;
}

/** Auto-allocated addresses of one host, where the rules of allocation still allow them. */
function autoAddresses(resource: Resource<ServiceEntry>, host: string, resolution: Resolution): string[] {
  const { spec, metadata } = resource;
  if ((spec.addresses ?? []).length > 0 || resolution === 'passthrough') return [];
  if (labelOf(metadata.labels, 'networking.istio.io/enable-autoallocate-ip') === 'false') return [];
  if (isWildcard(host) && resolution !== 'dynamic-dns') return [];
  const { addresses = [] } = (resource.status ?? {}) as { addresses?: readonly { value?: string; host?: string }[] };
  return addresses.filter((a) => a.value && (!a.host || a.host.toLowerCase() === host)).map((a) => a.value as string);
}

/** A ServiceEntry's services: one for each host and address (one for each host when it has no addresses). */
export function entryServices(resource: Resource<ServiceEntry>, context: ServiceContext, report: Report): Service[] {
  const { metadata, spec } = resource;
  const resolution = resolutions[spec.resolution ?? 'NONE'] ?? 'passthrough';
  const namespace = metadata.namespace;
  const shared = {
    namespace,
    registry: 'External' as const,
    resource,
    creationTime: metadata.creationTime,
    ports: ports(resource, resolution, report),
    resolution,
    headless: false,
    external: (spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL',
    exportTo: capExportTo(normaliseExportTo(spec.exportTo, namespace, context.config.defaultServiceExportTo), namespace, context),
    aliases: [],
    selector: spec.workloadSelector === undefined ? undefined : (spec.workloadSelector.labels ?? {}),
    subjectAltNames: spec.subjectAltNames ?? [],
    trafficDistribution: 'any' as const,
    internalTrafficPolicyLocal: false,
    raceFirstTcpConnect: labelOf(metadata.annotations, 'istio.io/connect-strategy') === 'RACE_FIRST_TCP_CONNECT',
  };
  const addresses = [...new Set((spec.addresses ?? []).map(plainAddress))];
  const services: Service[] = [];
  for (const name of new Set(spec.hosts.map((host) => host.toLowerCase()))) {
    const auto = autoAddresses(resource, name, resolution);
    for (const own of addresses.length === 0 ? [[]] : addresses.map((address) => [address])) {
      services.push({ ...shared, host: name, name, addresses: own, autoAddresses: auto });
    }
  }
  return services;
}
