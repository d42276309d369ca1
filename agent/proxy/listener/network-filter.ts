import type { Socket } from 'node:net';
import type { ConnectionManager } from '../http/connection-manager.ts';
import type { TlsTermination } from '../tls/terminate.ts';
import type { ConnectionInfo } from './connection.ts';

/** What a filter chain ends in: HTTP, or bytes. */
export type NetworkFilter =
  | { readonly kind: 'http'; readonly manager: ConnectionManager }
  | { readonly kind: 'tcp'; readonly serve: (socket: Socket, info: ConnectionInfo) => void };

/** A compiled filter chain. */
export interface FilterChain {
  readonly name: string;
  readonly match: import('#envoy-api/envoy/config/listener/v3/listener_components_pb.js').FilterChainMatchJson | undefined;
  /** Undefined: the bytes are plain. */
  readonly tls: TlsTermination | undefined;
  /** For the handshake, milliseconds; 0: no limit. */
  readonly connectTimeout: number;
  /** Undefined: a chain without filters; Envoy closes such connections. */
  readonly filter: NetworkFilter | undefined;
}
