import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { TLSMatchAttributes } from '../../config/kinds/networking.ts';
import type { BuildContext } from '../context.ts';
import { provenance } from '../metadata.ts';
import { layer4SourceHolds } from '../routes/source.ts';
import { ruleTcpFilters, serviceTcpFilters } from '../tcp-proxy.ts';
import { destinationPort, type Layer4Port, layer4Chain } from './layer4.ts';

/** What of a match Envoy decides; two matches that agree in it cannot both be chains. */
function runtimeKey(match: TLSMatchAttributes): string {
  return JSON.stringify([match.sniHosts ?? [], match.destinationSubnets ?? []]);
}

/** The server names of a service that cannot be told by its address. Wildcards that Envoy cannot match stay out. */
function serverNames({ service, cidr, ownAddress }: Layer4Port): string[] {
  if (cidr === undefined && ownAddress) return [];
  const hosts = [service.host, ...service.aliases.map((a) => a.host)];
  return hosts.includes('*') ? [] : hosts;
}

/**
 * The chains of a TLS or HTTPS port: those of VirtualServices' `tls` rules, told apart by server name. Without any: the service's
 * own, by address where it has one, else by its host as the server name.
 */
export function tlsChains(context: BuildContext, at: Layer4Port): FilterChainJson[] {
  const out: FilterChainJson[] = [];
  const handled = new Set<string>();
  for (const view of at.virtualServices) {
    const { resource } = view;
    for (const [i, rule] of (view.spec.tls ?? []).entries()) {
      for (const [j, match] of rule.match.entries()) {
        if (!layer4SourceHolds(match, context.proxy, resource.metadata.namespace, 'mesh', at.port)) continue;
        const key = runtimeKey(match);
        if (handled.has(key)) continue;
        const filters = ruleTcpFilters(context, rule.route, resource, at.port, at.protocol);
        if (filters === undefined) continue;
        handled.add(key);
        const subnets = match.destinationSubnets?.length && at.port > 0 ? match.destinationSubnets : at.cidr === undefined ? [] : [at.cidr];
        // `*` as server name means any: Envoy has no such wildcard.
        const names = (match.sniHosts ?? []).filter((h) => h !== '*').map((h) => h.toLowerCase());
        out.push(layer4Chain(filters, { subnets, serverNames: names }, provenance(resource, ['tls', i, 'match', j])));
      }
    }
  }
  if (out.length > 0) return out;
  const filters = serviceTcpFilters(context, at.service, destinationPort(at), at.protocol);
  return [layer4Chain(filters, { subnets: at.cidr === undefined ? [] : [at.cidr], serverNames: serverNames(at) })];
}
