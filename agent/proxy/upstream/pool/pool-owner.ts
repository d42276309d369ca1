import type { Socket } from 'node:net';
import type { HttpOptions } from '../../../../src/upstream/http-options.ts';
import type { CircuitBreakers } from '../circuit-breakers.ts';
import type { TrafficStats } from '../cluster-stats.ts';
import type { SocketOptions } from './open-socket.ts';

/** What pools need of their cluster. */
export interface PoolOwner {
  readonly breakers: CircuitBreakers;
  readonly traffic: TrafficStats;
  readonly socketOptions: SocketOptions;
  readonly http: HttpOptions;
  /** Raw connections that callers hold, made or being made. */
  readonly rawSockets: Set<Socket>;
}
