import type { KubernetesService } from '../config/kinds/kubernetes.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { normaliseExportTo } from './export-to.ts';
import { labelOf } from './labels.ts';
import { kubernetesProtocol } from './protocol.ts';
import type { ResolvedMeshConfig, Service, ServicePort } from './types.ts';

/** What the conversion of services looks at besides the service. */
export interface ServiceContext {
  config: ResolvedMeshConfig;
  /** Kubernetes Namespaces by name. */
  namespaces: ReadonlyMap<string, Resource>;
}

function trafficDistribution(value: string | undefined): Service['trafficDistribution'] | undefined {
  if (value === 'PreferClose' || value === 'PreferSameZone') return 'zone';
  if (value === 'PreferSameNode') return 'node';
  return value === undefined ? undefined : 'any';
}

function ports(spec: KubernetesService): ServicePort[] {
  const out: ServicePort[] = [];
  spec.ports?.forEach((port, index) => {
    // UDP is not part of a mesh's traffic.
    if (port.protocol === 'UDP') return;
    const path: FieldPath = ['spec', 'ports', index];
    const targetPort = port.targetPort === undefined || port.targetPort === '' || port.targetPort === 0 ? port.port : port.targetPort;
    out.push({ name: port.name ?? '', number: port.port, targetPort, protocol: kubernetesProtocol(port), path });
  });
  return out;
}

/** Identities beyond those of the endpoints that clients accept. */
function extraIdentities(resource: Resource, trustDomain: string): string[] {
  const { annotations, namespace } = resource.metadata;
  const list = (key: string): string[] =>
    (labelOf(annotations, key) ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
  return [
    ...list('alpha.istio.io/canonical-serviceaccounts').map((name) => `spiffe://${name}`),
    ...list('alpha.istio.io/kubernetes-serviceaccounts').map((name) => `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`),
  ];
}

/** A Kubernetes Service as a service of the mesh. ExternalName ones are aliases, `aliasOf` their (not yet followed) target. */
export function kubernetesService(resource: Resource<KubernetesService>, context: ServiceContext): Service {
  const { metadata, spec } = resource;
  const { config, namespaces } = context;
  const alias = spec.type === 'ExternalName';
  const headless = !alias && spec.clusterIP === 'None';
  const vips = spec.clusterIPs !== undefined && spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec.clusterIP ?? ''];
  const distributionKey = 'networking.istio.io/traffic-distribution';
  const selector = spec.selector !== undefined && Object.keys(spec.selector).length > 0 && !alias ? spec.selector : undefined;
  const exportTo = labelOf(metadata.annotations, 'networking.istio.io/exportTo')
    ?.split(',')
    .map((value) => value.trim())
    .filter(Boolean);
  return {
    host: `${metadata.name}.${metadata.namespace}.svc.${config.domain}`.toLowerCase(),
    name: metadata.name,
    namespace: metadata.namespace,
    registry: 'Kubernetes',
    resource,
    creationTime: metadata.creationTime,
    addresses: alias || headless ? [] : vips.filter((vip) => vip !== '' && vip !== 'None'),
    autoAddresses: [],
    ports: ports(spec),
    resolution: alias ? 'alias' : headless ? 'passthrough' : 'static',
    headless,
    external: alias,
    exportTo: normaliseExportTo(exportTo, metadata.namespace, config.defaultServiceExportTo),
    aliases: [],
    ...(alias && { aliasOf: (spec.externalName ?? '').toLowerCase().replace(/\.$/, '') }),
    selector,
    subjectAltNames: extraIdentities(resource, config.trustDomain),
    trafficDistribution:
      trafficDistribution(spec.trafficDistribution) ??
      trafficDistribution(labelOf(metadata.annotations, distributionKey)) ??
      trafficDistribution(labelOf(namespaces.get(metadata.namespace)?.metadata.annotations ?? {}, distributionKey)) ??
      'any',
    internalTrafficPolicyLocal: spec.internalTrafficPolicy === 'Local',
    raceFirstTcpConnect: false,
  };
}
