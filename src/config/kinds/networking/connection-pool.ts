import type { Static } from 'typebox';
import { boolean, choice, duration, int32, message, uint32 } from '../schema.ts';

export const TcpKeepalive = message('TCP keep-alive probes (SO_KEEPALIVE). What is not given is left to the operating system.', {
  probes: uint32('Unanswered probes after which a connection counts as dead. Linux: 9.'),
  time: duration('How long a connection is idle before probes begin, in whole seconds. Linux: 2h.'),
  interval: duration('Time between probes, in whole seconds. Linux: 75s.'),
});

export const TCPSettings = message('Limits on connections, HTTP ones included.', {
  maxConnections: int32('Connections to all endpoints together. Default: no limit.'),
  connectTimeout: duration("How long connecting may take. Default: the mesh's `connectTimeout`, 10s."),
  tcpKeepalive: TcpKeepalive,
  maxConnectionDuration: duration('How long a connection may live. Default: no limit.'),
  idleTimeout: duration('How long a connection may carry nothing before it is closed; 0s: for ever. Default: 1h.', { zero: true }),
});

export const ConnectionKeepalive = message('PING frames that find out whether an HTTP/2 connection is alive.', {
  interval: duration('Time between PINGs.'),
  timeout: duration('How long the answer may take before the connection is closed.'),
});

export const HTTPSettings = message('Limits on requests.', {
  http1MaxPendingRequests: int32('Requests that wait for a connection, HTTP/1.1 and HTTP/2. Default: no limit.'),
  http2MaxRequests: int32('Requests under way at once, HTTP/1.1 and HTTP/2. Default: no limit.'),
  maxRequestsPerConnection: int32(
    'Requests on one connection before it is replaced; 1 turns keep-alive off, 0 means no limit. Default: no limit.',
  ),
  maxRetries: int32('Retries under way at once, to all endpoints together. Default: no limit.'),
  idleTimeout: duration('How long a connection may have no requests before it is closed. Default: 1h.'),
  h2UpgradePolicy: choice(
    ['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'],
    "Whether HTTP/1.1 requests go on as HTTP/2. DEFAULT: as the mesh's `h2UpgradePolicy` says.",
  ),
  useClientProtocol: boolean(
    'Talks to the service in the protocol that the client used; `h2UpgradePolicy` is ignored then. Default: false.',
  ),
  maxConcurrentStreams: int32('Streams on one HTTP/2 connection at once. Default: 2147483647.'),
  http2KeepAlive: ConnectionKeepalive,
});

export const ConnectionPoolSettings = message('Limits on connections and requests to a service; what is over is refused at once.', {
  tcp: TCPSettings,
  http: HTTPSettings,
});

export type TcpKeepalive = Static<typeof TcpKeepalive>;
export type ConnectionPoolSettings = Static<typeof ConnectionPoolSettings>;
