import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { BuildContext } from '../context.ts';
import { provenance } from '../metadata.ts';
import { layer4SourceHolds } from '../routes/source.ts';
import { ruleTcpFilters, serviceTcpFilters } from '../tcp-proxy.ts';
import { destinationPort, type Layer4Port, layer4Chain } from './layer4.ts';

/**
 * The chains of a TCP port: those of VirtualServices' `tcp` rules up to the first without destination subnets, else with the
 * service's own chain at the end.
 */
export function tcpChains(context: BuildContext, at: Layer4Port): FilterChainJson[] {
  const out: FilterChainJson[] = [];
  const own = at.cidr === undefined ? [] : [at.cidr];
  for (const view of at.virtualServices) {
    const { resource } = view;
    for (const [i, rule] of (view.spec.tcp ?? []).entries()) {
      const subnets: string[] = [];
      let terminal = !rule.match?.length;
      for (const match of rule.match ?? []) {
        if (!layer4SourceHolds(match, context.proxy, resource.metadata.namespace, 'mesh', at.port)) continue;
        if (!match.destinationSubnets?.length || at.port === 0) {
          terminal = true;
          break;
        }
        subnets.push(...match.destinationSubnets);
      }
      if (!terminal && subnets.length === 0) continue;
      const filters = ruleTcpFilters(context, rule.route, resource, at.port, at.protocol);
      if (filters === undefined) continue;
      out.push(layer4Chain(filters, { subnets: terminal ? own : subnets }, provenance(resource, ['tcp', i])));
      // Envoy refuses two chains with the same match: a rule for the service's very CIDR leaves no room for its own chain.
      if (terminal || (at.cidr !== undefined && subnets.includes(at.cidr))) return out;
    }
  }
  const filters = serviceTcpFilters(context, at.service, destinationPort(at), at.protocol);
  out.push(layer4Chain(filters, { subnets: own }));
  return out;
}
