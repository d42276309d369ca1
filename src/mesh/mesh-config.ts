import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type { ResolvedMeshConfig } from './types.ts';

const proxyDefaults = {
  configPath: './etc/istio/proxy',
  proxyAdminPort: 15000,
  statusPort: 15020,
  discoveryAddress: 'istiod.istio-system.svc:15012',
  serviceCluster: 'istio-proxy',
  drainDuration: '45s',
  terminationDrainDuration: '5s',
  statNameLength: 189,
};

const defaults = {
  proxyListenPort: 15001,
  proxyInboundListenPort: 15006,
  connectTimeout: '10s',
  protocolDetectionTimeout: '0s',
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  enableAutoMtls: true,
  enableTracing: true,
  accessLogFile: '',
  accessLogEncoding: 'TEXT' as const,
  enablePrometheusMerge: true,
  dnsRefreshRate: '60s',
  defaultServiceExportTo: ['*'],
  defaultVirtualServiceExportTo: ['*'],
  defaultDestinationRuleExportTo: ['*'],
  ingressService: 'istio-ingressgateway',
  ingressClass: 'istio',
  ingressControllerMode: 'STRICT' as const,
};

/** MeshConfig with Istio's defaults filled in. The domain suffix is not part of MeshConfig: it is Kubernetes' `cluster.local`. */
export function resolveMeshConfig(given: MeshConfig = {}): ResolvedMeshConfig {
  return {
    ...defaults,
    ...given,
    rootNamespace: given.rootNamespace || defaults.rootNamespace,
    trustDomain: given.trustDomain || defaults.trustDomain,
    outboundTrafficPolicy: { ...given.outboundTrafficPolicy, mode: given.outboundTrafficPolicy?.mode ?? 'ALLOW_ANY' },
    inboundTrafficPolicy: { ...given.inboundTrafficPolicy, mode: given.inboundTrafficPolicy?.mode ?? 'PASSTHROUGH' },
    localityLbSetting: { ...given.localityLbSetting, enabled: given.localityLbSetting?.enabled ?? true },
    defaultConfig: { ...proxyDefaults, ...given.defaultConfig },
    domain: 'cluster.local',
  };
}
