import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { EffectivePolicy } from '../../mesh/types.ts';
import { typed } from '../any.ts';

const rawBuffer: TransportSocketJson = {
  name: 'envoy.transport_sockets.raw_buffer',
  typedConfig: typed('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'),
};

/** The socket that a policy's `tls` asks for. All modes but DISABLE need certificates, which nothing issues yet: policy-problems.ts says so. */
function tlsSocket(_tls: EffectivePolicy['tls']): TransportSocketJson | undefined {
  return undefined;
}

/** How a cluster's connections are wrapped: TLS, and a PROXY protocol header in front when the rule asks for one. */
export function transportSocket(policy: EffectivePolicy): Partial<ClusterJson> {
  const inner = tlsSocket(policy.tls);
  if (!policy.proxyProtocol) return inner ? { transportSocket: inner } : {};
  return {
    transportSocket: {
      name: 'envoy.transport_sockets.upstream_proxy_protocol',
      typedConfig: typed('envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
        config: { version: policy.proxyProtocol.version === 'V2' ? 'V2' : 'V1' },
        transportSocket: inner ?? rawBuffer,
      }),
    },
  };
}
