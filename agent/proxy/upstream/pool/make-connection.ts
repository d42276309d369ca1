import type { Socket } from 'node:net';
import type { ResetReason } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { connectionClosed, connectionOpened } from './connection-accounting.ts';
import { openSocket } from './open-socket.ts';
import type { PoolOwner, TlsNames } from './pool-owner.ts';

/** What a pool does with a connection that it asked for. */
export interface ConnectionMaker {
  readonly owner: PoolOwner;
  readonly host: UpstreamHost;
  readonly protocol: 'http1' | 'http2';
  /** Sockets on their way. */
  readonly connecting: Set<Socket>;
  /** What its TLS is to name, where it has any. */
  readonly names: TlsNames | undefined;
  made(socket: Socket): void;
  failed(reason: ResetReason): void;
}

/** Connects to the host, and counts the attempt and how it ends. */
export function makeConnection(maker: ConnectionMaker): void {
  const { owner, host, protocol, connecting, names } = maker;
  const openedAt = performance.now();
  connectionOpened(owner, host, protocol);
  const socket = openSocket(host.dial, owner.connectionOptions(host, { ...names, alpn: protocol === 'http2' ? 'h2' : 'http/1.1' }), {
    connected(made) {
      connecting.delete(socket);
      owner.traffic.cxConnectMs.record(performance.now() - openedAt);
      maker.made(made);
    },
    failed(reason) {
      connecting.delete(socket);
      owner.traffic.cxConnectFail.inc();
      host.stats.cxConnectFail++;
      const late = reason.kind === 'connect-timeout';
      if (late) owner.traffic.cxConnectTimeout.inc();
      connectionClosed(owner, host, { openedAt, local: late, active: false, socket: undefined });
      maker.failed(reason);
    },
  });
  connecting.add(socket);
}
