import type { Socket } from 'node:net';
import type { ResetReason, UpstreamHandler, UpstreamRequest, UpstreamStream } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { OVERFLOW, PROTOCOL_ERROR } from '../reset-reasons.ts';
import { connectionClosed } from './connection-accounting.ts';
import { Http2Connection, type SessionEvents } from './http2-connection.ts';
import { Http2Stream } from './http2-stream.ts';
import { makeConnection } from './make-connection.ts';
import { PendingRequests } from './pending-requests.ts';
import type { PoolOwner, TlsNames } from './pool-owner.ts';

/** HTTP/2 connections to one host: one, and more when its streams are exhausted. Envoy: Http2::ConnPoolImpl. */
export class Http2Pool implements SessionEvents {
  readonly host: UpstreamHost;
  readonly #owner: PoolOwner;
  readonly #all = new Set<Http2Connection>();
  readonly #connecting = new Set<Socket>();
  readonly #pending: PendingRequests<Http2Stream>;

  readonly #names: TlsNames | undefined;

  constructor(owner: PoolOwner, host: UpstreamHost, names?: TlsNames) {
    this.#names = names;
    this.#owner = owner;
    this.host = host;
    this.#pending = new PendingRequests(owner, host);
  }

  request(request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
    const stream = new Http2Stream(this, request, handler);
    // RFC 8441 is not spoken: a switch of protocols needs an HTTP/1.1 upstream.
    if (request.upgrade !== undefined) stream.fail(PROTOCOL_ERROR);
    else this.#start(stream);
    return stream;
  }

  drain(): void {
    for (const connection of [...this.#all]) {
      connection.draining = true;
      if (connection.streams === 0) connection.close();
    }
  }

  close(): void {
    for (const socket of this.#connecting) socket.destroy(new Error('closed'));
    for (const connection of [...this.#all]) connection.close();
  }

  // From streams.

  onEnded(stream: Http2Stream): void {
    this.#inactive(stream);
    this.#serve();
  }

  onCancelled(stream: Http2Stream, timedOut: boolean): void {
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
    this.#inactive(stream);
    this.#serve();
  }

  onBroken(stream: Http2Stream, reason: ResetReason): void {
    const { traffic } = this.#owner;
    if (reason.kind === 'protocol-error') traffic.cxProtocolError.inc();
    if (reason.kind === 'remote-reset' || reason.kind === 'remote-refused') traffic.rqRxReset.inc();
    this.#inactive(stream);
    this.host.stats.rqError++;
    this.host.monitor?.localFailure(503);
    this.#serve();
  }

  // From connections.

  closed(connection: Http2Connection, local: boolean): void {
    this.#all.delete(connection);
    this.#owner.traffic.rqPerCx.record(connection.requests);
    const { openedAt, socket } = connection;
    connectionClosed(this.#owner, this.host, { openedAt, local, active: connection.streams > 0, socket });
    this.#connectForPending();
  }

  draining(_connection: Http2Connection, why: 'goaway' | 'duration'): void {
    if (why === 'goaway') this.#owner.traffic.cxCloseNotify.inc();
    else this.#owner.traffic.cxMaxDuration.inc();
    this.#connectForPending();
  }

  limitChanged(): void {
    this.#serve();
    this.#connectForPending();
  }

  idleTimeout(connection: Http2Connection): void {
    this.#owner.traffic.cxIdleTimeout.inc();
    connection.close();
  }

  // Own.

  #start(stream: Http2Stream): void {
    for (const connection of this.#all) if (connection.ready && this.#attach(connection, stream)) return;
    if (this.#pending.add(stream)) this.#connectForPending();
  }

  /** False: another connection has to take it. */
  #attach(connection: Http2Connection, stream: Http2Stream): boolean {
    const { breakers, traffic, http } = this.#owner;
    if (!breakers.requests.free) {
      traffic.rqActiveOverflow.inc();
      stream.fail(OVERFLOW);
      return true;
    }
    breakers.requests.inc();
    traffic.rqActive.inc();
    this.host.stats.rqActive++;
    connection.streamStarted();
    if (!stream.attach(connection)) {
      stream.connection = connection;
      this.#inactive(stream);
      stream.connection = undefined;
      return false;
    }
    traffic.rqTotal.inc();
    this.host.stats.rqTotal++;
    this.host.monitor?.connected();
    if (http.maxRequestsPerConnection > 0 && connection.requests >= http.maxRequestsPerConnection) {
      traffic.cxMaxRequests.inc();
      connection.draining = true;
    }
    return true;
  }

  #inactive(stream: Http2Stream): void {
    this.#owner.breakers.requests.dec();
    this.#owner.traffic.rqActive.dec();
    this.host.stats.rqActive--;
    stream.connection?.streamEnded();
  }

  /** Gives who waits to the connections that have room. */
  #serve(): void {
    for (const stream of this.#pending) {
      let connection: Http2Connection | undefined;
      for (const one of this.#all) if (one.ready) connection = one;
      if (connection === undefined) return;
      this.#pending.remove(stream);
      if (!this.#attach(connection, stream)) this.#start(stream);
    }
  }

  #connectForPending(): void {
    const { breakers, traffic, http } = this.#owner;
    // A connection on its way is expected to take as many streams as the configuration lets it.
    while (this.#pending.size > this.#connecting.size * http.http2.maxConcurrentStreams) {
      if (!breakers.connections.free) {
        traffic.cxOverflow.inc();
        if (this.#all.size + this.#connecting.size > 0) return;
      }
      this.#connect();
    }
  }

  #connect(): void {
    makeConnection({
      owner: this.#owner,
      host: this.host,
      protocol: 'http2',
      connecting: this.#connecting,
      names: this.#names,
      made: (socket) => {
        const connection = new Http2Connection(socket, this.#owner.http, this);
        this.#all.add(connection);
        this.#serve();
        if (this.host.removed) this.drain();
        this.#connectForPending();
      },
      failed: (reason) => this.#pending.failAll(reason),
    });
  }
}
