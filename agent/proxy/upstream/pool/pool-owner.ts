import type { Socket } from 'node:net';
import type { HttpOptions } from '../../../../src/upstream/http-options.ts';
import type { TlsRequest } from '../../tls/originate.ts';
import type { CircuitBreakers } from '../circuit-breakers.ts';
import type { TrafficStats } from '../cluster-stats.ts';
import type { UpstreamHost } from '../host.ts';
import type { SocketOptions } from './open-socket.ts';

/** What connections of one pool name in their TLS (auto_sni, auto_san_validation). */
export type TlsNames = Pick<TlsRequest, 'sni' | 'names'>;

/** What pools need of their cluster. */
export interface PoolOwner {
  readonly breakers: CircuitBreakers;
  readonly traffic: TrafficStats;
  /** How to connect to this host now. */
  connectionOptions(host: UpstreamHost, tls: TlsRequest): SocketOptions;
  readonly http: HttpOptions;
  /** Raw connections that callers hold, made or being made. */
  readonly rawSockets: Set<Socket>;
}
