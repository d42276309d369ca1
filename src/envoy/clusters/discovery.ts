import type { Cluster_DnsLookupFamilyJson, ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { DnsCacheConfigJson } from '#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import type { EffectivePolicy, ProxyNode, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { typed } from '../any.ts';
import { isHttpOrDetected } from '../protocols.ts';
import { optionalDuration } from './connection-pool.ts';
import { isPassthrough } from './load-balancer.ts';

/** How Envoy finds the hosts of a service's clusters. `none`: the service has no clusters of its own. */
export type Discovery = 'EDS' | 'STRICT_DNS' | 'LOGICAL_DNS' | 'ORIGINAL_DST' | 'DYNAMIC_FORWARD_PROXY' | 'none';

/** Ports that a dynamic forward proxy can serve: those whose connections name their host. */
const namedByTheClient: ReadonlySet<string> = new Set(['HTTP', 'HTTP2', 'GRPC', 'TLS']);

/**
 * How this proxy finds the hosts of one port of a service.
 *
 * Istio sends traffic of unresolved services (`clusterIP: None`, ServiceEntry resolution NONE) to the address that the client
 * connected to. A gateway has no such address and uses what endpoints are known. Nor has a proxy that clients name as their HTTP
 * proxy (interception NONE): there the client connected to the proxy itself, so headless services use their endpoints, and hosts
 * without endpoints are looked up in DNS, as the client would have done; under a wildcard, the host that the request names.
 */
export function discoveryOf(service: Service, port: ServicePort, proxy: Pick<ProxyNode, 'type' | 'interception'>): Discovery {
  if (port.protocol === 'UDP') return 'none';
  switch (service.resolution) {
    case 'alias':
      return 'none';
    case 'static':
      return 'EDS';
    case 'dns':
      return service.raceFirstTcpConnect ? 'LOGICAL_DNS' : 'STRICT_DNS';
    case 'dns-round-robin':
      return 'LOGICAL_DNS';
    case 'dynamic-dns':
      return namedByTheClient.has(port.protocol) ? 'DYNAMIC_FORWARD_PROXY' : 'none';
    case 'passthrough':
      if (proxy.type === 'router') return 'EDS';
      if (proxy.interception !== 'NONE') return 'ORIGINAL_DST';
      if (service.registry === 'Kubernetes') return 'EDS';
      if (!service.host.startsWith('*')) return 'STRICT_DNS';
      return isHttpOrDetected(port.protocol) ? 'DYNAMIC_FORWARD_PROXY' : 'ORIGINAL_DST';
  }
}

/** True when connections reach this proxy with the address that the client asked for: a sidecar that traffic is redirected to. */
export function knowsOriginalDestination(proxy: Pick<ProxyNode, 'type' | 'interception'>): boolean {
  return proxy.type === 'sidecar' && proxy.interception !== 'NONE';
}

/**
 * How this proxy finds the hosts of one cluster of a service, under its policy. Load balancer PASSTHROUGH forwards to the address that the
 * client asked for, where there is one; elsewhere it has no effect (policy-problems.ts says so).
 */
export function clusterDiscovery(
  service: Service,
  port: ServicePort,
  proxy: Pick<ProxyNode, 'type' | 'interception'>,
  policy: EffectivePolicy,
): Discovery {
  const found = discoveryOf(service, port, proxy);
  const chosen = found === 'EDS' || found === 'STRICT_DNS' || found === 'LOGICAL_DNS';
  return chosen && isPassthrough(policy) && knowsOriginalDestination(proxy) ? 'ORIGINAL_DST' : found;
}

/** Addresses that this proxy can reach: `ALL` only where Istio races both families. */
function lookupFamily(service: Service, proxy: ProxyNode): Cluster_DnsLookupFamilyJson {
  if (service.raceFirstTcpConnect) return 'ALL';
  return proxy.ips.length > 0 && proxy.ips.every((ip) => ip.includes(':')) ? 'V6_ONLY' : 'V4_ONLY';
}

/** Fields of a cluster whose hosts come from DNS. Istio also writes `dns_jitter: 0.1s`, which the Envoy API that Fairlead is built with lacks. */
export function dnsFields(service: Service, scope: ProxyScope, dnsRefreshRate: string | undefined): Partial<ClusterJson> {
  return {
    dnsLookupFamily: lookupFamily(service, scope.proxy),
    dnsRefreshRate: optionalDuration(dnsRefreshRate) ?? '60s',
    respectDnsTtl: true,
    typedDnsResolverConfig: {
      name: 'envoy.network.dns_resolver.cares',
      typedConfig: typed('envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig', { udpMaxQueries: 100 }),
    },
  };
}

/** A dynamic forward proxy cluster: Envoy resolves the host that the request names. */
export function forwardProxyFields(dnsCacheConfig: DnsCacheConfigJson): Partial<ClusterJson> {
  return {
    lbPolicy: 'CLUSTER_PROVIDED',
    clusterType: {
      name: 'envoy.clusters.dynamic_forward_proxy',
      typedConfig: typed('envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig', { dnsCacheConfig }),
    },
  };
}

/** The cache of a service's own dynamic forward proxy, named after its host. */
export function serviceDnsCache(service: Service, proxy: ProxyNode): DnsCacheConfigJson {
  return { name: `${service.host}_dfp_dns_cache`, dnsLookupFamily: lookupFamily(service, proxy) };
}
