/** The annotations that Istio knows, in the order of its own list: which kinds they are for, and how far they are from stable. */

/** How the value of an annotation is checked; see check-annotation.ts. */
export type AnnotationCheck =
  | 'interfaces'
  | 'boolean'
  | 'proxyConfig'
  | 'uint32'
  | 'interceptionMode'
  | 'quantity'
  | 'port'
  | 'ports'
  | 'cidrs'
  | 'anyPorts'
  | 'anyCidrs';

/** One annotation. */
export interface KnownAnnotation {
  /** `Any`, or kinds; Gateway and GatewayClass are the Gateway API's. */
  readonly kinds: readonly string[];
  readonly stage: 'alpha' | 'beta' | 'stable';
  readonly deprecated?: true;
  readonly check?: AnnotationCheck;
}

/** By name. */
export const KNOWN_ANNOTATIONS: ReadonlyMap<string, KnownAnnotation> = new Map<string, KnownAnnotation>([
  ['alpha.istio.io/canonical-serviceaccounts', { kinds: ['Service'], stage: 'alpha', deprecated: true }],
  ['alpha.istio.io/kubernetes-serviceaccounts', { kinds: ['Service'], stage: 'alpha', deprecated: true }],
  ['ambient.istio.io/bypass-inbound-capture', { kinds: ['Pod'], stage: 'alpha' }],
  ['ambient.istio.io/dns-capture', { kinds: ['Pod'], stage: 'alpha' }],
  ['ambient.istio.io/redirection', { kinds: ['Pod'], stage: 'beta' }],
  ['ambient.istio.io/waypoint-inbound-binding', { kinds: ['GatewayClass', 'Gateway'], stage: 'alpha' }],
  ['galley.istio.io/analyze-suppress', { kinds: ['Any'], stage: 'alpha' }],
  ['gateway.istio.io/controller-version', { kinds: ['Any'], stage: 'alpha' }],
  ['gateway.istio.io/name-override', { kinds: ['Gateway'], stage: 'alpha' }],
  ['gateway.istio.io/service-account', { kinds: ['Gateway'], stage: 'alpha' }],
  ['inject.istio.io/templates', { kinds: ['Pod'], stage: 'alpha' }],
  ['istio.io/autoRegistrationGroup', { kinds: ['WorkloadEntry'], stage: 'alpha' }],
  ['istio.io/connectedAt', { kinds: ['WorkloadEntry'], stage: 'alpha' }],
  ['istio.io/disconnectedAt', { kinds: ['WorkloadEntry'], stage: 'alpha' }],
  ['istio.io/dry-run', { kinds: ['AuthorizationPolicy'], stage: 'alpha' }],
  ['istio.io/reroute-virtual-interfaces', { kinds: ['Pod'], stage: 'alpha', check: 'interfaces' }],
  ['istio.io/rev', { kinds: ['Pod'], stage: 'alpha' }],
  ['istio.io/use-waypoint-canary-weight', { kinds: ['Service', 'ServiceEntry', 'Namespace'], stage: 'alpha' }],
  ['istio.io/workloadController', { kinds: ['WorkloadEntry'], stage: 'alpha' }],
  ['kubernetes.io/ingress.class', { kinds: ['Ingress'], stage: 'stable' }],
  ['networking.istio.io/exportTo', { kinds: ['Service'], stage: 'alpha' }],
  ['networking.istio.io/service-type', { kinds: ['Gateway'], stage: 'alpha' }],
  ['networking.istio.io/traffic-distribution', { kinds: ['Namespace', 'Service', 'ServiceEntry'], stage: 'alpha' }],
  ['prometheus.istio.io/merge-metrics', { kinds: ['Pod'], stage: 'alpha', check: 'boolean' }],
  ['proxy.istio.io/config', { kinds: ['Pod'], stage: 'beta', check: 'proxyConfig' }],
  ['proxy.istio.io/overrides', { kinds: ['Pod'], stage: 'alpha' }],
  ['readiness.status.sidecar.istio.io/applicationPorts', { kinds: ['Pod'], stage: 'alpha' }],
  ['readiness.status.sidecar.istio.io/failureThreshold', { kinds: ['Pod'], stage: 'alpha', check: 'uint32' }],
  ['readiness.status.sidecar.istio.io/initialDelaySeconds', { kinds: ['Pod'], stage: 'alpha', check: 'uint32' }],
  ['readiness.status.sidecar.istio.io/periodSeconds', { kinds: ['Pod'], stage: 'alpha', check: 'uint32' }],
  ['sidecar.istio.io/agentLogLevel', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/bootstrapOverride', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/componentLogLevel', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/discoveryAddress', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/extraStatTags', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/inject', { kinds: ['Pod'], stage: 'beta', deprecated: true }],
  ['sidecar.istio.io/interceptionMode', { kinds: ['Pod'], stage: 'alpha', check: 'interceptionMode' }],
  ['sidecar.istio.io/logLevel', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/nativeSidecar', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/proxyCPU', { kinds: ['Pod'], stage: 'alpha', check: 'quantity' }],
  ['sidecar.istio.io/proxyCPULimit', { kinds: ['Pod'], stage: 'alpha', check: 'quantity' }],
  ['sidecar.istio.io/proxyImage', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/proxyImageType', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/proxyMemory', { kinds: ['Pod'], stage: 'alpha', check: 'quantity' }],
  ['sidecar.istio.io/proxyMemoryLimit', { kinds: ['Pod'], stage: 'alpha', check: 'quantity' }],
  ['sidecar.istio.io/rewriteAppHTTPProbers', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/statsCompression', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/statsEvictionInterval', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/statsFlushInterval', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/statsHistogramBins', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/statsHistogramBuckets', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/statsInclusionPrefixes', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/statsInclusionRegexps', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/statsInclusionSuffixes', { kinds: ['Pod'], stage: 'alpha', deprecated: true }],
  ['sidecar.istio.io/status', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/userVolume', { kinds: ['Pod'], stage: 'alpha' }],
  ['sidecar.istio.io/userVolumeMount', { kinds: ['Pod'], stage: 'alpha' }],
  ['status.sidecar.istio.io/port', { kinds: ['Pod'], stage: 'alpha', check: 'port' }],
  ['topology.istio.io/controlPlaneClusters', { kinds: ['Namespace'], stage: 'alpha' }],
  ['traffic.istio.io/nodeSelector', { kinds: ['Service'], stage: 'stable' }],
  ['traffic.sidecar.istio.io/excludeInboundPorts', { kinds: ['Pod'], stage: 'alpha', check: 'ports' }],
  ['traffic.sidecar.istio.io/excludeInterfaces', { kinds: ['Pod'], stage: 'alpha', check: 'interfaces' }],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', { kinds: ['Pod'], stage: 'alpha', check: 'cidrs' }],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', { kinds: ['Pod'], stage: 'alpha', check: 'ports' }],
  ['traffic.sidecar.istio.io/includeInboundPorts', { kinds: ['Pod'], stage: 'alpha', check: 'anyPorts' }],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', { kinds: ['Pod'], stage: 'alpha', check: 'anyCidrs' }],
  ['traffic.sidecar.istio.io/includeOutboundPorts', { kinds: ['Pod'], stage: 'alpha' }],
  ['traffic.sidecar.istio.io/kubevirtInterfaces', { kinds: ['Pod'], stage: 'alpha', deprecated: true, check: 'interfaces' }],
]);
