import { isIp } from './addresses.ts';
import { interceptionOf } from './interception.ts';
import { getOrMake } from './memo.ts';
import type { ProxyNode, ResolvedMeshConfig, Workload } from './types.ts';

/** Proxies by workload: the same workload with the same settings is the same object, so that what was computed for it is found again. */
const memo = new WeakMap<Workload, Map<string, ProxyNode>>();

/** The proxy of a workload. Gateways are not intercepted: they bind their ports. */
export function proxyNodeOf(
  workload: Workload,
  type: ProxyNode['type'],
  httpProxyPort: number | undefined,
  config: ResolvedMeshConfig,
): ProxyNode {
  const interception = interceptionOf(workload, config);
  const key = `${type} ${interception} ${httpProxyPort ?? ''} ${config.domain}`;
  const known = getOrMake(memo, workload, () => new Map<string, ProxyNode>());
  let node = known.get(key);
  if (node === undefined) {
    const { name, namespace, labels, locality, network, serviceAccount } = workload;
    const ips = workload.addresses.filter(isIp);
    node = {
      type,
      id: `${type}~${ips[0] ?? '127.0.0.1'}~${name}.${namespace}~${namespace}.svc.${config.domain}`,
      name,
      namespace,
      labels,
      ips: ips.length > 0 ? ips : ['127.0.0.1'],
      interception,
      httpProxyPort: type === 'sidecar' ? httpProxyPort : undefined,
      locality,
      network,
      serviceAccount,
      workload,
    };
    known.set(key, node);
  }
  return node;
}
