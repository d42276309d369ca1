import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { DestinationRuleView, Endpoint, Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { loadAssignment } from '../endpoints/load-assignment.ts';
import { localityPlan, weighsLocalities } from '../endpoints/locality-setting.ts';
import { selectEndpoints } from '../endpoints/select.ts';
import { clusterName, sniClusterName } from '../names.ts';
import { namedByRequest } from '../tls/upstream.ts';
import { outboundMetadata } from './cluster-metadata.ts';
import { connectionPoolFields } from './connection-pool.ts';
import { clusterDiscovery, type Discovery, dnsFields, forwardProxyFields, serviceDnsCache } from './discovery.ts';
import { effectivePolicy, withMeshDefaults } from './effective-policy.ts';
import { loadBalancer } from './load-balancer.ts';
import { outlierDetection } from './outlier-detection.ts';
import { altStatName } from './stat-name.ts';
import { originates, transportSocket } from './transport-socket.ts';
import { forwardOptions, speaksHttp2, upstreamProtocol } from './upstream-protocol.ts';

/** What a cluster is made for. */
interface Target {
  service: Service;
  port: ServicePort;
  /** Empty for the whole service. */
  subset: string;
  rule: DestinationRuleView | undefined;
  /** The cluster of an AUTO_PASSTHROUGH gateway. */
  sni: boolean;
}

/** Where an unresolved host's own name is looked up: the endpoint that a ServiceEntry with DNS resolution would imply. */
function impliedEndpoint(service: Service, port: ServicePort): Endpoint {
  return {
    address: service.host,
    port: typeof port.targetPort === 'number' ? port.targetPort : port.number,
    labels: {},
    locality: { region: '', zone: '', subzone: '' },
    weight: 1,
    health: 'unknown',
    workload: { name: service.name, namespace: service.namespace },
    serviceAccount: '',
    network: '',
    nodeName: '',
    tlsMode: 'disabled',
    resource: service.resource,
  };
}

/** Fields that depend on how hosts are found; undefined when there is nothing to call (a DNS cluster without any endpoint). */
function discoveryFields(
  mesh: Mesh,
  scope: ProxyScope,
  target: Target,
  name: string,
  discovery: Discovery,
): Partial<ClusterJson> | undefined {
  const { service, port, subset, rule } = target;
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), mesh.config);
  switch (discovery) {
    case 'EDS':
      return {
        type: 'EDS',
        edsClusterConfig: { edsConfig: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' }, serviceName: name },
        ...loadBalancer(policy),
      };
    case 'STRICT_DNS':
    case 'LOGICAL_DNS': {
      const labels = subset ? rule?.spec.subsets?.find((s) => s.name === subset)?.labels : undefined;
      let endpoints = selectEndpoints(mesh, scope, service, port, { policy, labels, eds: false });
      if (service.resolution === 'passthrough' && endpoints.length === 0) endpoints = [impliedEndpoint(service, port)];
      if (endpoints.length === 0) return undefined;
      // Envoy: a logical DNS cluster has exactly one endpoint.
      if (discovery === 'LOGICAL_DNS') endpoints = endpoints.slice(0, 1);
      return {
        type: discovery,
        ...dnsFields(service, scope, mesh.config.dnsRefreshRate),
        loadAssignment: loadAssignment(name, endpoints, scope.proxy, localityPlan(policy, service, mesh.config)),
        ...loadBalancer(policy),
      };
    }
    case 'ORIGINAL_DST': {
      const override = service.registry === 'External' && typeof port.targetPort === 'number' && port.targetPort !== port.number;
      return {
        type: 'ORIGINAL_DST',
        lbPolicy: 'CLUSTER_PROVIDED',
        ...(override && { originalDstLbConfig: { upstreamPortOverride: port.targetPort as number } }),
      };
    }
    case 'DYNAMIC_FORWARD_PROXY':
      return forwardProxyFields(serviceDnsCache(service, scope.proxy));
    case 'none':
      return undefined;
  }
}

function outboundCluster(mesh: Mesh, scope: ProxyScope, target: Target): ClusterJson | undefined {
  const { service, port, subset, rule } = target;
  const { config } = mesh;
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), config);
  const name = (target.sni ? sniClusterName : (...a: [number, string, string]) => clusterName('outbound', ...a))(
    port.number,
    subset,
    service.host,
  );
  const discovery = clusterDiscovery(service, port, scope.proxy, policy);
  const hosts = discoveryFields(mesh, scope, target, name, discovery);
  if (hosts === undefined) return undefined;
  const detects = scope.proxy.type === 'sidecar';
  const http2 = speaksHttp2(port.protocol, policy, config, detects);
  const originated = target.sni ? undefined : originates({ policy, rule }, scope);
  const forwards = discovery === 'DYNAMIC_FORWARD_PROXY';
  const named = { ...(originated && namedByRequest(originated)), ...(forwards && forwardOptions) };
  const outliers = outlierDetection(policy.outlierDetection);
  const weighs =
    discovery !== 'ORIGINAL_DST' && discovery !== 'DYNAMIC_FORWARD_PROXY' && weighsLocalities(localityPlan(policy, service, config));
  const panic = policy.outlierDetection?.minHealthPercent;
  return {
    name,
    altStatName: altStatName(name, config.outboundClusterStatName, service, port, subset),
    ...hosts,
    ...connectionPoolFields(policy, config),
    commonLbConfig: {
      // Istio: 0 % when the rule does not say, so that Envoy never panics into hosts that are known to be bad.
      healthyPanicThreshold: panic ? { value: panic } : {},
      ...(weighs && { localityWeightedLbConfig: {} }),
    },
    ...(outliers && { outlierDetection: outliers }),
    // What an AUTO_PASSTHROUGH gateway passes on is the client's mTLS: it neither speaks HTTP to it nor wraps it.
    ...(target.sni
      ? {}
      : {
          ...upstreamProtocol(port.protocol, policy, config, detects, { named, always: forwards }),
          ...transportSocket(mesh, scope, { service, port, subset, rule, policy, discovery, http2 }),
        }),
    metadata: outboundMetadata(service, rule, subset, originated !== undefined),
  };
}

/** The clusters of one port of a service: for all of it, and one for each subset of its DestinationRule. */
export function outboundClusters(mesh: Mesh, scope: ProxyScope, service: Service, port: ServicePort, sni = false): ClusterJson[] {
  const rule = scope.destinationRule(service);
  // Istio: a service whose hosts come from the request has no subsets.
  const subsets = service.resolution === 'dynamic-dns' ? [] : (rule?.spec.subsets ?? []);
  const out: ClusterJson[] = [];
  for (const subset of ['', ...subsets.map((s) => s.name)]) {
    const cluster = outboundCluster(mesh, scope, { service, port, subset, rule, sni });
    if (cluster) out.push(cluster);
  }
  return out;
}
