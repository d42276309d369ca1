import type { Socket } from 'node:net';
import type { UpstreamHost } from '../host.ts';
import type { PoolOwner } from './pool-owner.ts';

/** A connection attempt begins: it counts from here on, as Envoy's do. */
export function connectionOpened(owner: PoolOwner, host: UpstreamHost, protocol: 'http1' | 'http2' | 'tcp'): void {
  const { traffic } = owner;
  owner.breakers.connections.inc();
  traffic.cxTotal.inc();
  traffic.cxActive.inc();
  if (protocol === 'http1') traffic.cxHttp1Total.inc();
  else if (protocol === 'http2') traffic.cxHttp2Total.inc();
  host.stats.cxTotal++;
  host.stats.cxActive++;
}

export interface ConnectionEnd {
  /** performance.now() of its beginning. */
  openedAt: number;
  /** This side closed it. */
  local: boolean;
  /** Requests were on it. */
  active: boolean;
  /** Undefined when it was never made. */
  socket: Socket | undefined;
}

/** A connection, made or not, is gone. */
export function connectionClosed(owner: PoolOwner, host: UpstreamHost, end: ConnectionEnd): void {
  const { traffic } = owner;
  owner.breakers.connections.dec();
  traffic.cxActive.dec();
  host.stats.cxActive--;
  traffic.cxLengthMs.record(performance.now() - end.openedAt);
  traffic.cxDestroy.inc();
  (end.local ? traffic.cxDestroyLocal : traffic.cxDestroyRemote).inc();
  if (end.active) {
    traffic.cxDestroyWithActive.inc();
    (end.local ? traffic.cxDestroyLocalWithActive : traffic.cxDestroyRemoteWithActive).inc();
  }
  if (end.socket !== undefined) {
    traffic.cxRxBytes.inc(end.socket.bytesRead);
    traffic.cxTxBytes.inc(end.socket.bytesWritten);
  }
}
