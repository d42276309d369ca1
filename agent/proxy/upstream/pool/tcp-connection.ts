import type { Socket } from 'node:net';
import type { ResetReason } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { OVERFLOW } from '../reset-reasons.ts';
import { connectionClosed, connectionOpened } from './connection-accounting.ts';
import { openSocket } from './open-socket.ts';
import type { PoolOwner } from './pool-owner.ts';
import type { ProxiedAddresses } from './proxy-protocol-header.ts';

/** A connection of its own for one caller, counted against the cluster's limits until it closes. Envoy: TcpConnPool. */
export function connectTcp(
  owner: PoolOwner,
  host: UpstreamHost,
  on: { connected(socket: Socket): void; failed(reason: ResetReason): void },
  proxied?: ProxiedAddresses,
): { cancel(): void } {
  const { breakers, traffic } = owner;
  if (!breakers.connections.free) {
    traffic.cxOverflow.inc();
    on.failed(OVERFLOW);
    return { cancel() {} };
  }
  if (!breakers.pending.free) {
    traffic.rqPendingOverflow.inc();
    on.failed(OVERFLOW);
    return { cancel() {} };
  }
  const openedAt = performance.now();
  let waiting = true;
  connectionOpened(owner, host, 'tcp');
  breakers.pending.inc();
  traffic.rqPendingTotal.inc();
  traffic.rqPendingActive.inc();
  const settled = (): void => {
    waiting = false;
    breakers.pending.dec();
    traffic.rqPendingActive.dec();
  };
  const closed = (local: boolean, used: Socket | undefined): void =>
    connectionClosed(owner, host, { openedAt, local, active: used !== undefined, socket: used });
  const socket = openSocket(
    host.dial,
    { ...owner.connectionOptions(host, {}), halfOpen: true, proxied },
    {
      connected(made) {
        settled();
        traffic.cxConnectMs.record(performance.now() - openedAt);
        traffic.rqTotal.inc();
        traffic.rqActive.inc();
        host.stats.rqTotal++;
        host.stats.rqActive++;
        host.monitor?.connectedFinally();
        made.once('close', () => {
          traffic.rqActive.dec();
          host.stats.rqActive--;
          closed(!made.readableEnded && !made.errored, made);
        });
        on.connected(made);
      },
      failed(reason) {
        settled();
        traffic.cxConnectFail.inc();
        traffic.rqPendingFailureEject.inc();
        host.stats.cxConnectFail++;
        if (reason.kind === 'connect-timeout') traffic.cxConnectTimeout.inc();
        host.monitor?.localFailure(reason.kind === 'connect-timeout' ? 504 : 503);
        closed(reason.kind === 'connect-timeout', undefined);
        on.failed(reason);
      },
    },
  );
  owner.rawSockets.add(socket);
  socket.once('close', () => owner.rawSockets.delete(socket));
  return {
    cancel() {
      if (!waiting) return;
      settled();
      traffic.rqCancelled.inc();
      socket.removeAllListeners('connect');
      socket.destroy();
      closed(true, undefined);
    },
  };
}
