import type { Problem } from '../errors.ts';
import { clusterId } from '../mesh/locality.ts';
import { inReach } from '../mesh/networks.ts';
import { problemAt } from '../mesh/problem.ts';
import type { Mesh, ProxyScope } from '../mesh/types.ts';

/** The networks whose endpoints a proxy leaves out, because it cannot call them: one warning each. */
export function networkProblems(mesh: Mesh, { proxy }: ProxyScope): Problem[] {
  return [...mesh.networks].flatMap(([network, resource]) => {
    if (inReach(proxy, { network })) return [];
    const problem = problemAt(resource, [], {
      severity: 'warning',
      rule: 'network/unreachable',
      message: `endpoints in network ${network} (cluster ${clusterId(resource)}) are not used from network ${proxy.network}: gateways between networks are not supported yet`,
      hint: 'where the pods of both can be called directly, give both clusters the same label topology.istio.io/network on Istio’s namespace, or none',
    });
    return [problem];
  });
}
