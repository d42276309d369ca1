import type { NodeJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import { serviceCluster } from '../../mesh/canonical.ts';
import type { ProxyNode, ResolvedMeshConfig } from '../../mesh/types.ts';
import { localityJson } from '../endpoints/load-assignment.ts';

/** Envoy's node: who the proxy is, as Istio's tools expect to find it. All scalars of the metadata are strings. */
export function nodeJson(proxy: ProxyNode, config: ResolvedMeshConfig, version: string): NodeJson {
  const { workload } = proxy;
  const locality = localityJson(proxy.locality);
  const workloadName = workload.workloadName || workload.name;
  const optional = (key: string, value: string): Record<string, string> => (value ? { [key]: value } : {});
  return {
    id: proxy.id,
    cluster: serviceCluster(config.defaultConfig?.serviceCluster, { labels: proxy.labels, namespace: proxy.namespace, workloadName }),
    ...(locality && { locality }),
    metadata: {
      NAME: proxy.name,
      NAMESPACE: proxy.namespace,
      ...optional('SERVICE_ACCOUNT', proxy.serviceAccount),
      ...optional('NODE_NAME', workload.nodeName),
      LABELS: { ...proxy.labels },
      ...(Object.keys(workload.annotations).length > 0 && { ANNOTATIONS: { ...workload.annotations } }),
      INSTANCE_IPS: proxy.ips.join(','),
      WORKLOAD_NAME: workloadName,
      ...(workload.kind === 'WorkloadEntry' && { WORKLOAD_ENTRY: workload.name }),
      ...optional('NETWORK', proxy.network),
      MESH_ID: config.trustDomain,
      INTERCEPTION_MODE: proxy.interception,
      ...(config.defaultConfig && { PROXY_CONFIG: config.defaultConfig as unknown as Record<string, never> }),
      FAIRLEAD_VERSION: version,
    },
  };
}
