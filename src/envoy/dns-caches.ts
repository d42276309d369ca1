import type { DnsCacheConfigJson } from '#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import { getOrMake } from '../mesh/memo.ts';
import type { ProxyScope } from '../mesh/types.ts';
import { discoveryOf, serviceDnsCache } from './clusters/discovery.ts';
import { DYNAMIC_DNS_CACHE } from './names.ts';
import { isHttpOrDetected } from './protocols.ts';
import { looksUnknownHostsUp } from './unknown-traffic.ts';

const known = new WeakMap<ProxyScope, readonly DnsCacheConfigJson[]>();

/** The cache of hosts that nothing knows, of which there may be 1024. */
export function unknownDnsCache(scope: ProxyScope): DnsCacheConfigJson {
  // Istio looks IPv4 up alone; clients of an explicit proxy may name IPv6 addresses and hosts that have nothing else. The mode must not
  // decide: Envoy would refuse the change of a cache that is in use.
  const explicit = scope.proxy.interception === 'NONE';
  return { name: DYNAMIC_DNS_CACHE, dnsLookupFamily: explicit ? 'V4_PREFERRED' : 'V4_ONLY', maxHosts: 1024 };
}

/** Envoy keeps one cache for each name, and refuses two users of one that configure it differently: these are the clusters' settings. */
function find(scope: ProxyScope): DnsCacheConfigJson[] {
  const out = new Map<string, DnsCacheConfigJson>();
  if (looksUnknownHostsUp(scope)) out.set(DYNAMIC_DNS_CACHE, unknownDnsCache(scope));
  for (const service of scope.services) {
    const forwards = service.ports.some(
      (p) => isHttpOrDetected(p.protocol) && discoveryOf(service, p, scope.proxy) === 'DYNAMIC_FORWARD_PROXY',
    );
    if (!forwards) continue;
    const cache = serviceDnsCache(service, scope.proxy);
    out.set(cache.name!, cache);
  }
  return [...out.values()];
}

/** The DNS caches that the proxy's outbound HTTP traffic needs a dynamic forward proxy filter for, one filter each. */
export function dnsCaches(scope: ProxyScope): readonly DnsCacheConfigJson[] {
  return getOrMake(known, scope, () => find(scope));
}
