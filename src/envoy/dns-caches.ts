import type { DnsCacheConfigJson } from '#envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js';
import { getOrMake } from '../mesh/memo.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { ProxyScope } from '../mesh/types.ts';
import { serviceForwardProxyFields } from './clusters/discovery.ts';
import { DYNAMIC_DNS_CACHE } from './names.ts';

const known = new WeakMap<ProxyScope, readonly DnsCacheConfigJson[]>();

/** Envoy keeps one cache for each name, and refuses two users of one that configure it differently: these are the clusters' settings. */
function find(scope: ProxyScope): DnsCacheConfigJson[] {
  const out = new Map<string, DnsCacheConfigJson>();
  if (scope.proxy.type === 'sidecar' && (scope.outboundTrafficPolicy.mode as string | undefined) === 'ALLOW_ANY_DYNAMIC_DNS') {
    out.set(DYNAMIC_DNS_CACHE, { name: DYNAMIC_DNS_CACHE, dnsLookupFamily: 'V4_ONLY', maxHosts: 1024 });
  }
  for (const service of scope.services) {
    if (service.resolution !== 'dynamic-dns' || !service.ports.some((p) => isHttp(p.protocol))) continue;
    const cluster = serviceForwardProxyFields(service, scope.proxy).clusterType?.typedConfig as { dnsCacheConfig: DnsCacheConfigJson };
    out.set(cluster.dnsCacheConfig.name!, cluster.dnsCacheConfig);
  }
  return [...out.values()];
}

/** The DNS caches that the proxy's outbound HTTP traffic needs a dynamic forward proxy filter for, one filter each. */
export function dnsCaches(scope: ProxyScope): readonly DnsCacheConfigJson[] {
  return getOrMake(known, scope, () => find(scope));
}
