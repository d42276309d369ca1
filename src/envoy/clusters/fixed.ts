import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { Mesh, ProxyScope } from '../../mesh/types.ts';
import { unknownDnsCache } from '../dns-caches.ts';
import { isV6Only, wildcards } from '../listeners/families.ts';
import { originatedTls } from '../tls/upstream.ts';
import { looksUnknownHostsUp } from '../unknown-traffic.ts';
import { circuitBreakers } from './connection-pool.ts';
import { forwardProxyFields } from './discovery.ts';
import { forwardOptions, withHttpOptions } from './upstream-protocol.ts';

/** Source address of what a sidecar sends to its own workload, so that interception leaves it alone. */
export const inboundSource = { ipv4: '127.0.0.6', ipv6: '::6' } as const;

/** The bind address for connections to the workload, by the families of the proxy's addresses. */
export function inboundBind({ proxy }: ProxyScope): Partial<ClusterJson> {
  const source = (address: string): { address: string; portValue: number } => ({ address, portValue: 0 });
  if (isV6Only(proxy)) return { upstreamBindConfig: { sourceAddress: source(inboundSource.ipv6) } };
  const both = wildcards(proxy).more.length > 0;
  return {
    upstreamBindConfig: {
      sourceAddress: source(inboundSource.ipv4),
      ...(both && { extraSourceAddresses: [{ address: source(inboundSource.ipv6) }] }),
    },
  };
}

/** Refused traffic: a cluster without hosts. */
function blackHole(): ClusterJson {
  return { name: 'BlackHoleCluster', altStatName: 'BlackHoleCluster;', type: 'STATIC', connectTimeout: '10s' };
}

function passthrough(name: string): ClusterJson {
  return {
    name,
    // Istio: the inbound one carries the outbound one's stat name too.
    altStatName: 'PassthroughCluster;',
    type: 'ORIGINAL_DST',
    lbPolicy: 'CLUSTER_PROVIDED',
    connectTimeout: '10s',
    circuitBreakers: circuitBreakers(undefined),
    ...withHttpOptions({
      commonHttpProtocolOptions: { idleTimeout: '300s' },
      useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    }),
  };
}

/** How calls to hosts that nothing knows are secured. There is no mesh TLS to them: whoever they are, they are not of the mesh. */
function unknownHostsTls(mesh: Mesh, scope: ProxyScope): Partial<ClusterJson> {
  const { tls } = scope.outboundTrafficPolicy;
  if (tls?.mode !== 'SIMPLE' && tls?.mode !== 'MUTUAL') return {};
  const names = tls.subjectAltNames ?? [];
  return { transportSocket: originatedTls(tls, { names, http2: false }, mesh.config) };
}

/** Clusters that do not belong to a service: where traffic to unknown destinations and unknown inbound ports goes. */
export function fixedClusters(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const clusters = [blackHole()];
  if (scope.proxy.type === 'router') return clusters;
  clusters.push(passthrough('PassthroughCluster'));
  if (scope.proxy.interception !== 'NONE') clusters.push({ ...passthrough('InboundPassthroughCluster'), ...inboundBind(scope) });
  if (looksUnknownHostsUp(scope)) {
    clusters.push({
      name: 'AllowAnyDynamicDNSCluster',
      altStatName: 'AllowAnyDynamicDNSCluster;',
      connectTimeout: '10s',
      circuitBreakers: circuitBreakers(undefined),
      ...forwardProxyFields(unknownDnsCache(scope)),
      ...withHttpOptions({
        commonHttpProtocolOptions: { idleTimeout: '300s' },
        upstreamHttpProtocolOptions: forwardOptions,
        useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
      }),
      ...unknownHostsTls(mesh, scope),
    });
  }
  return clusters;
}
