import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ResetReason, UpstreamHandler, UpstreamRequest, UpstreamStream } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { OVERFLOW } from '../reset-reasons.ts';
import { connectionClosed } from './connection-accounting.ts';
import { type ConnectionEvents, Http1Connection } from './http1-connection.ts';
import { Http1Stream } from './http1-stream.ts';
import { makeConnection } from './make-connection.ts';
import { PendingRequests } from './pending-requests.ts';
import type { PoolOwner, TlsNames } from './pool-owner.ts';

/**
 * HTTP/1.1 connections to one host. A request takes an idle connection (the one used last) or waits; connections are made
 * for those who wait. Envoy: Http1::ConnPoolImpl, ConnPoolImplBase.
 */
export class Http1Pool implements ConnectionEvents {
  readonly host: UpstreamHost;
  readonly #owner: PoolOwner;
  readonly #idle: Http1Connection[] = [];
  readonly #all = new Set<Http1Connection>();
  readonly #connecting = new Set<Socket>();
  readonly #pending: PendingRequests<Http1Stream>;
  /** Connections whose answer is complete; whether undici keeps them shows when it has returned. */
  #released: Http1Connection[] = [];
  #draining = false;

  readonly #names: TlsNames | undefined;

  constructor(owner: PoolOwner, host: UpstreamHost, names?: TlsNames) {
    this.#names = names;
    this.#owner = owner;
    this.host = host;
    this.#pending = new PendingRequests(owner, host);
  }

  request(request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
    const stream = new Http1Stream(this, request, handler);
    this.#start(stream);
    return stream;
  }

  /** Connections end when their requests do. */
  drain(): void {
    this.#draining = true;
    for (const connection of [...this.#idle]) connection.close();
    for (const connection of this.#all) connection.draining = true;
  }

  /** All connections end now. */
  close(): void {
    this.drain();
    for (const socket of this.#connecting) socket.destroy(new Error('closed'));
    for (const connection of [...this.#all]) connection.close();
  }

  // From streams.

  /** Its headers go out now. */
  onStarted(): void {
    this.#owner.traffic.rqTotal.value++;
    this.host.stats.rqTotal++;
    this.host.monitor?.connected();
  }

  onEnded(stream: Http1Stream): void {
    this.#inactive();
    const connection = stream.connection!;
    connection.active = undefined;
    if (this.#released.push(connection) === 1) queueMicrotask(this.#settle);
  }

  onCancelled(stream: Http1Stream, timedOut: boolean): void {
    const { traffic } = this.#owner;
    if (timedOut) {
      this.host.stats.rqTimeout++;
      this.host.stats.rqError++;
      this.host.monitor?.localFailure(504);
    }
    if (stream.pending) {
      this.#pending.remove(stream);
      traffic.rqCancelled.inc();
      return;
    }
    traffic.rqTxReset.inc();
    this.#inactive();
  }

  onBroken(_stream: Http1Stream, reason: ResetReason): void {
    if (reason.kind === 'protocol-error') this.#owner.traffic.cxProtocolError.inc();
    this.#inactive();
    this.host.stats.rqError++;
    this.host.monitor?.localFailure(503);
  }

  onNotSent(stream: Http1Stream): void {
    this.#inactive();
    stream.connection = undefined;
    this.#start(stream);
  }

  onUpgraded(stream: Http1Stream, socket: Duplex): void {
    const connection = stream.connection!;
    connection.upgraded(socket);
    // The stream stays active as long as its connection.
    socket.once('close', () => {
      connection.active = undefined;
      this.#inactive();
    });
  }

  // From connections.

  closed(connection: Http1Connection, local: boolean, idle: boolean): void {
    const { traffic } = this.#owner;
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (idle) traffic.cxIdleTimeout.inc();
    traffic.rqPerCx.record(connection.requests);
    const { openedAt, socket } = connection;
    connectionClosed(this.#owner, this.host, { openedAt, local, active: connection.active !== undefined, socket });
    this.#connectForPending();
  }

  expired(connection: Http1Connection): void {
    this.#owner.traffic.cxMaxDuration.inc();
    connection.draining = true;
    if (connection.active === undefined) connection.close();
  }

  // Own.

  #start(stream: Http1Stream): void {
    const connection = this.#ready();
    if (connection !== undefined) {
      this.#attach(connection, stream);
      return;
    }
    if (this.#pending.add(stream)) this.#connectForPending();
  }

  #ready(): Http1Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (!connection.closed && !connection.socket.destroyed && !connection.socket.readableEnded) return connection;
    }
    return undefined;
  }

  #attach(connection: Http1Connection, stream: Http1Stream): void {
    const { breakers, traffic, http } = this.#owner;
    if (!breakers.requests.free) {
      this.#idle.push(connection);
      traffic.rqActiveOverflow.inc();
      stream.fail(OVERFLOW);
      return;
    }
    breakers.requests.inc();
    traffic.rqActive.value++;
    this.host.stats.rqActive++;
    if (http.maxRequestsPerConnection > 0 && connection.requests + 1 >= http.maxRequestsPerConnection) {
      traffic.cxMaxRequests.inc();
      connection.draining = true;
    }
    connection.send(stream);
  }

  #inactive(): void {
    this.#owner.breakers.requests.dec();
    this.#owner.traffic.rqActive.value--;
    this.host.stats.rqActive--;
  }

  readonly #settle = (): void => {
    const released = this.#released;
    this.#released = [];
    for (const connection of released) {
      if (connection.closed || connection.socket.destroyed) continue;
      if (connection.draining) connection.close();
      else this.#offer(connection);
    }
  };

  /** To who waits longest, or among the idle ones. */
  #offer(connection: Http1Connection): void {
    for (const stream of this.#pending) {
      this.#pending.remove(stream);
      this.#attach(connection, stream);
      if (connection.active !== undefined) return;
      // Its request was refused by a limit: the connection is among the idle ones and the next one may try.
      if (this.#idle.at(-1) === connection) this.#idle.pop();
    }
    if (this.#draining) connection.close();
    else this.#idle.push(connection);
  }

  /** Envoy: tryCreateNewConnections; as many as there are who wait and have none on the way. */
  #connectForPending(): void {
    const { breakers, traffic } = this.#owner;
    while (this.#pending.size > this.#connecting.size) {
      if (!breakers.connections.free) {
        traffic.cxOverflow.inc();
        // Envoy: a host without any connection gets one, or those who wait would wait for ever.
        if (this.#all.size + this.#connecting.size > 0) return;
      }
      this.#connect();
    }
  }

  #connect(): void {
    makeConnection({
      owner: this.#owner,
      host: this.host,
      protocol: 'http1',
      connecting: this.#connecting,
      names: this.#names,
      made: (socket) => {
        const connection = new Http1Connection(socket, this.#owner.http, this);
        this.#all.add(connection);
        this.#offer(connection);
      },
      failed: (reason) => this.#pending.failAll(reason),
    });
  }
}
