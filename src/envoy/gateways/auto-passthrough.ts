import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import { covers } from '../../mesh/host-match.ts';
import type { Service } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { CONNECT_TIMEOUT } from '../listeners/outbound-http.ts';
import { sniClusterName } from '../names.ts';
import { MESH_TLS_PROTOCOLS } from '../protocols.ts';
import { fixedTcpFilters } from '../tcp-proxy.ts';
import { hostsForNamespace } from './hosts.ts';
import type { GatewayServer } from './servers.ts';

function chain(context: BuildContext, name: string): FilterChainJson {
  return {
    filterChainMatch: { serverNames: [name], applicationProtocols: [...MESH_TLS_PROTOCOLS] },
    filters: fixedTcpFilters(context, name),
    ...CONNECT_TIMEOUT,
  };
}

function subsetsOf(context: BuildContext, service: Service): string[] {
  return ['', ...(context.scope.destinationRule(service)?.spec.subsets ?? []).map((s) => s.name)];
}

/**
 * The chains of an AUTO_PASSTHROUGH server: mesh TLS whose server name is a cluster's goes to that cluster as it is. One for each port
 * and subset of the mesh's own services that the server's hosts cover.
 *
 * @param taken server names that other servers of the address have; grows
 */
export function autoPassthroughChains(context: BuildContext, entry: GatewayServer, taken: Set<string>): FilterChainJson[] {
  const out: FilterChainJson[] = [];
  for (const service of context.scope.services) {
    if (service.external || service.resolution === 'alias') continue;
    if (!hostsForNamespace(entry.hosts, service.namespace).some((h) => covers(h, service.host))) continue;
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue;
      for (const subset of subsetsOf(context, service)) {
        const name = sniClusterName(port.number, subset, service.host);
        if (taken.has(name)) continue;
        taken.add(name);
        out.push(chain(context, name));
      }
    }
  }
  return out;
}
