import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import { normaliseGateway } from '../../mesh/gateway-names.ts';
import { intersectHosts } from '../../mesh/host-match.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { layer4Chain } from '../listeners/layer4.ts';
import { provenance } from '../metadata.ts';
import { ruleTcpFilters } from '../tcp-proxy.ts';
import { hostsForNamespace } from './hosts.ts';
import type { GatewayServer } from './servers.ts';

/** The VirtualServices that attach to a server: they name its Gateway, and their hosts overlap with the server's. */
export function attached(context: BuildContext, entry: GatewayServer): { view: VirtualServiceView; hosts: string[] }[] {
  const out: { view: VirtualServiceView; hosts: string[] }[] = [];
  for (const view of context.scope.virtualServicesFor(entry.gateway)) {
    const hosts = intersectHosts(hostsForNamespace(entry.hosts, view.resource.metadata.namespace), view.hosts);
    if (hosts.length > 0) out.push({ view, hosts });
  }
  return out;
}

/** On gateways a match for connections is about port and gateway; source conditions are not looked at. */
function holds(match: { port?: number; gateways?: string[] }, entry: GatewayServer, namespace: string): boolean {
  if (match.port && match.port !== entry.server.port.number) return false;
  return !match.gateways?.length || match.gateways.some((g) => normaliseGateway(g, namespace) === entry.gateway);
}

/** The chain of a TCP server: the first rule that applies, of the first VirtualService that has one. */
export function tcpServerChains(context: BuildContext, entry: GatewayServer): FilterChainJson[] {
  for (const { view } of attached(context, entry)) {
    for (const [i, rule] of (view.spec.tcp ?? []).entries()) {
      const { namespace } = view.resource.metadata;
      if (rule.match?.length && !rule.match.some((m) => holds(m, entry, namespace))) continue;
      const filters = ruleTcpFilters(context, rule.route, view.resource, entry.server.port.number, entry.protocol);
      if (filters) return [layer4Chain(filters, {}, provenance(view.resource, view.layer4Path ?? ['tcp', i]))];
    }
  }
  return [];
}

/**
 * The chains of a server that passes TLS on: one for each `tls` match of its VirtualServices, by server name.
 *
 * @param taken server names that other servers of the address have; grows
 */
export function passthroughChains(context: BuildContext, entry: GatewayServer, taken: Set<string>): FilterChainJson[] {
  const out: FilterChainJson[] = [];
  for (const { view } of attached(context, entry)) {
    for (const [i, rule] of (view.spec.tls ?? []).entries()) {
      for (const [j, match] of rule.match.entries()) {
        if (!holds(match, entry, view.resource.metadata.namespace)) continue;
        const filters = ruleTcpFilters(context, rule.route, view.resource, entry.server.port.number, entry.protocol);
        if (filters === undefined) continue;
        const names = (match.sniHosts ?? []).map((h) => h.toLowerCase());
        const twice = names.find((n) => taken.has(n));
        if (twice !== undefined) {
          const message = `another rule of this port has the server name ${twice}; the match is left out`;
          const path = view.layer4Path ?? ['spec', 'tls', i, 'match', j];
          context.problems.push(problemAt(view.resource, path, { severity: 'warning', rule: 'gateway/conflict', message }));
          continue;
        }
        for (const name of names) taken.add(name);
        const serverNames = names.filter((n) => n !== '*');
        out.push(layer4Chain(filters, { serverNames }, provenance(view.resource, view.layer4Path ?? ['tls', i, 'match', j])));
      }
    }
  }
  return out;
}
