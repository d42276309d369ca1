import { isIP } from 'node:net';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { UpstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { jwtRules } from '../../mesh/security/request-authentications.ts';
import type { Mesh, ProxyScope } from '../../mesh/types.ts';
import { typed } from '../any.ts';
import { circuitBreakers, optionalDuration } from '../clusters/connection-pool.ts';
import { STAT_DELIMITER } from '../names.ts';
import { type JwksTarget, jwksTarget } from './jwks-target.ts';

/** The secret with the roots that the machine trusts. */
const SYSTEM_ROOTS = 'file-root:system';

/** TLS to a host whose certificate the machine's roots vouch for. */
function systemTls(host: string): NonNullable<ClusterJson['transportSocket']> {
  const address = isIP(host) !== 0;
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: typed<UpstreamTlsContextJson>('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      commonTlsContext: {
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: [{ sanType: address ? 'IP_ADDRESS' : 'DNS', matcher: { exact: host } }],
          },
          validationContextSdsSecretConfig: {
            name: SYSTEM_ROOTS,
            sdsConfig: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' },
          },
        },
      },
      ...(!address && { sni: host }),
    }),
  };
}

function ownCluster(
  { cluster, own }: JwksTarget & { own: NonNullable<JwksTarget['own']> },
  dnsRefreshRate: string | undefined,
): ClusterJson {
  const { host, port, tls } = own;
  return {
    name: cluster,
    altStatName: `${cluster}${STAT_DELIMITER}`,
    type: 'STRICT_DNS',
    connectTimeout: '10s',
    dnsLookupFamily: 'V4_PREFERRED',
    dnsRefreshRate: optionalDuration(dnsRefreshRate) ?? '60s',
    respectDnsTtl: true,
    circuitBreakers: circuitBreakers(undefined),
    loadAssignment: {
      clusterName: cluster,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: host, portValue: port } } } }] }],
    },
    ...(tls && { transportSocket: systemTls(host) }),
  };
}

/** The clusters through which keys are fetched from hosts that are no services of the mesh, each once. */
export function jwksClusters(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const clusters = new Map<string, ClusterJson>();
  for (const { rule } of jwtRules(mesh, scope.proxy)) {
    if (rule.jwks || !rule.jwksUri) continue;
    const target = jwksTarget(mesh, scope, rule.jwksUri);
    if (target?.own === undefined || clusters.has(target.cluster)) continue;
    clusters.set(target.cluster, ownCluster({ ...target, own: target.own }, mesh.config.dnsRefreshRate));
  }
  return [...clusters.values()];
}
