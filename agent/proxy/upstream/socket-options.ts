import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { jsonNumber } from '../../../src/upstream/json-number.ts';
import { milliseconds } from '../../../src/upstream/milliseconds.ts';
import type { SocketOptions } from './pool/open-socket.ts';

/** Type of the transport socket that tells upstreams who the client is. */
export const PROXY_PROTOCOL_TYPE =
  'type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport';

/** How a cluster's connections are made. Envoy: connect_timeout is 5 s, keepalive_time the system's (two hours). */
export function socketOptions(cluster: ClusterJson): SocketOptions {
  const source = cluster.upstreamBindConfig?.sourceAddress;
  const keepAlive = cluster.upstreamConnectionOptions?.tcpKeepalive;
  return {
    connectTimeout: milliseconds(cluster.connectTimeout, 5000),
    bind: source?.address === undefined ? undefined : { address: source.address, port: jsonNumber(source.portValue, 0) },
    keepAlive: keepAlive === undefined ? undefined : jsonNumber(keepAlive.keepaliveTime, 7200) * 1000,
  };
}
