import { impliedClient } from '../mesh/implied-workloads.ts';
import { everyProxy } from '../mesh/proxies.ts';
import { proxyNodeOf } from '../mesh/proxy-node.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';

/** Where the explicit proxy of a client that is only asked about would listen. */
const HTTP_PROXY_PORT = 15_001;

/** A client without labels of its own in a namespace: what any workload there sees, unless a Sidecar or a rule selects it. */
export function clientIn(mesh: Mesh, namespace: string): ProxyNode {
  return proxyNodeOf({ ...impliedClient(mesh), namespace }, 'sidecar', HTTP_PROXY_PORT, mesh.config);
}

/** `web.default`. */
export const proxyName = ({ name, namespace }: Pick<ProxyNode, 'name' | 'namespace'>): string => `${name}.${namespace}`;

/** Sidecars that see the same: those of one namespace with the same Sidecar resource, or with none. */
export interface ClientGroup {
  readonly namespace: string;
  readonly proxies: readonly ProxyNode[];
}

/** All sidecars of real workloads, by what they see. */
export function clientGroups(mesh: Mesh): ClientGroup[] {
  const groups = new Map<unknown, Map<string, ProxyNode[]>>();
  for (const proxy of everyProxy(mesh)) {
    if (proxy.type !== 'sidecar' || proxy.workload.kind === 'implied') continue;
    const { sidecar } = mesh.scope(proxy);
    const byNamespace = groups.get(sidecar) ?? new Map<string, ProxyNode[]>();
    groups.set(sidecar, byNamespace);
    byNamespace.set(proxy.namespace, [...(byNamespace.get(proxy.namespace) ?? []), proxy]);
  }
  return [...groups.values()].flatMap((byNamespace) => [...byNamespace].map(([namespace, proxies]) => ({ namespace, proxies })));
}
