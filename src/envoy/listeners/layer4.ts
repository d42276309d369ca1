import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { FilterChainJson, FilterChainMatchJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import { intersects } from '../../mesh/host-match.ts';
import type { Protocol, Service, VirtualServiceView } from '../../mesh/types.ts';
import { cidrRange } from './address.ts';
import { CONNECT_TIMEOUT } from './outbound-http.ts';

/** One service's port as a listener takes it in. */
export interface Layer4Port {
  service: Service;
  /** The listener's; 0 on a unix socket. */
  port: number;
  protocol: Protocol;
  /** The service's CIDR, when its address is one. */
  cidr: string | undefined;
  /** The listener is on the service's own address (or on one that the Sidecar gives it). */
  ownAddress: boolean;
  /** VirtualServices with tls or tcp rules, oldest first. */
  virtualServices: readonly VirtualServiceView[];
}

/** VirtualServices that have rules for connections rather than requests. */
export function layer4VirtualServices(views: readonly VirtualServiceView[]): VirtualServiceView[] {
  return views.filter((v) => v.spec.tls?.length || v.spec.tcp?.length);
}

/** Those of them that are about a host. */
export function aboutHost(views: readonly VirtualServiceView[], host: string): VirtualServiceView[] {
  return views.filter((v) => v.hosts.some((h) => intersects(h, host)));
}

/** Istio: a service's only port stands for the listener's, when a Sidecar listens on another. */
export function destinationPort({ service, port }: Layer4Port): number {
  return service.ports.length === 1 ? service.ports[0]!.number : port;
}

/** A chain with the matches that are given. */
export function layer4Chain(
  filters: FilterJson[],
  match: { subnets?: readonly string[]; serverNames?: readonly string[] },
  metadata?: MetadataJson,
): FilterChainJson {
  const out: FilterChainMatchJson = {
    ...(match.subnets?.length && { prefixRanges: match.subnets.map(cidrRange) }),
    ...(match.serverNames?.length && { serverNames: [...match.serverNames] }),
  };
  return {
    ...(Object.keys(out).length > 0 && { filterChainMatch: out }),
    filters,
    ...CONNECT_TIMEOUT,
    ...(metadata && { metadata }),
  };
}
