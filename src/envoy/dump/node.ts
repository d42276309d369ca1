import type { NodeJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { ProxyNode, ResolvedMeshConfig } from '../../mesh/types.ts';
import { localityJson } from '../endpoints/load-assignment.ts';

type Labels = Readonly<Record<string, string>>;

/** Istio's name for a proxy's own service: by the first of these labels, else the workload's name. */
function serviceCluster(labels: Labels, workload: string, namespace: string): string {
  const label = ['app', 'app.kubernetes.io/name', 'service.istio.io/canonical-name'].find(
    (key) => Object.hasOwn(labels, key) && labels[key],
  );
  return `${label ? labels[label] : workload}.${namespace}`;
}

/** Envoy's node: who the proxy is, as Istio's tools expect to find it. All scalars of the metadata are strings. */
export function nodeJson(proxy: ProxyNode, config: ResolvedMeshConfig, version: string): NodeJson {
  const { workload } = proxy;
  const locality = localityJson(proxy.locality);
  const workloadName = workload.workloadName || workload.name;
  const optional = (key: string, value: string): Record<string, string> => (value ? { [key]: value } : {});
  return {
    id: proxy.id,
    cluster: serviceCluster(proxy.labels, workloadName, proxy.namespace),
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
