import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { isIp } from '../../mesh/addresses.ts';
import { jwtRules } from '../../mesh/security/request-authentications.ts';
import type { Mesh, ProxyScope, ResolvedMeshConfig } from '../../mesh/types.ts';
import { circuitBreakers, optionalDuration } from '../clusters/connection-pool.ts';
import { STAT_DELIMITER } from '../names.ts';
import { originatedTls } from '../tls/upstream.ts';
import { type JwksTarget, jwksTarget } from './jwks-target.ts';

function ownCluster({ cluster, own }: JwksTarget & { own: NonNullable<JwksTarget['own']> }, config: ResolvedMeshConfig): ClusterJson {
  const { host, port, tls } = own;
  return {
    name: cluster,
    altStatName: `${cluster}${STAT_DELIMITER}`,
    type: 'STRICT_DNS',
    connectTimeout: '10s',
    dnsLookupFamily: 'V4_PREFERRED',
    dnsRefreshRate: optionalDuration(config.dnsRefreshRate) ?? '60s',
    respectDnsTtl: true,
    circuitBreakers: circuitBreakers(undefined),
    loadAssignment: {
      clusterName: cluster,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: host, portValue: port } } } }] }],
    },
    ...(tls && {
      // Without a name of its own for an address (RFC 6066 3).
      transportSocket: originatedTls({ mode: 'SIMPLE', ...(!isIp(host) && { sni: host }) }, { names: [host], http2: false }, config),
    }),
  };
}

/** The clusters through which keys are fetched from hosts that are no services of the mesh, each once. */
export function jwksClusters(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const clusters = new Map<string, ClusterJson>();
  for (const { rule } of jwtRules(mesh, scope.proxy)) {
    if (rule.jwks || !rule.jwksUri) continue;
    const target = jwksTarget(mesh, scope, rule.jwksUri);
    if (target?.own === undefined || clusters.has(target.cluster)) continue;
    clusters.set(target.cluster, ownCluster({ ...target, own: target.own }, mesh.config));
  }
  return [...clusters.values()];
}
