import { unguardedPorts } from '../envoy/security/policy-problems.ts';
import { effectiveMtls } from '../mesh/security/peer-authentication.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import type { MtlsMode } from './types.ts';

/** What a workload accepts on one of its own ports (undefined: on those that nothing names), and where that is said. */
export function mtlsMode(mesh: Mesh, proxy: ProxyNode | Pick<ProxyNode, 'namespace' | 'labels'>, targetPort: number | undefined): MtlsMode {
  const { namespace, labels } = proxy;
  const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(namespace, labels), targetPort);
  const unguarded = 'workload' in proxy && targetPort !== undefined && unguardedPorts(mesh.scope(proxy)).includes(targetPort);
  return { mode, ...(by && { origin: originAt(by.resource, by.at) }), ...(unguarded && { unguarded }) };
}
