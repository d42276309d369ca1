import type { Duplex } from 'node:stream';
import { JOINED_RESPONSE_HEADERS, joinRepeated } from '../../../src/routing/joined-headers.ts';
import type { Cluster, Host, RawHeaders, ResetReason, UpstreamHandler, UpstreamRequest, UpstreamStream } from '../types.ts';
import type { RouterCall } from './router.ts';

/** One try of a request at one host. It forwards what it hears to its call until it is over. */
export class Attempt implements UpstreamHandler {
  readonly call: RouterCall;
  readonly host: Host;
  readonly started = performance.now();
  stream: UpstreamStream | undefined;
  /** The answer's headers came. */
  answered = false;
  over = false;
  /** A connection was there: the request's headers had been sent. */
  connected = false;
  /** Writing has to wait for the upstream. */
  blocked = false;

  constructor(call: RouterCall, host: Host) {
    this.call = call;
    this.host = host;
  }

  /** Nothing may be heard before the stream is known: the first events may come from inside `request`. */
  send(cluster: Cluster, request: UpstreamRequest): void {
    this.stream = cluster.request(this.host, request, this);
  }

  write(chunk: Buffer): void {
    if (!this.stream!.write(chunk)) this.blocked = true;
  }

  cancel(why: Parameters<UpstreamStream['cancel']>[0]): void {
    if (this.over) return;
    this.over = true;
    this.stream?.cancel(why);
  }

  onConnected(_host: Host, localAddress: string): void {
    this.connected = true;
    if (!this.over) this.call.onConnected(this, localAddress);
  }

  onInformational(status: number, headers: RawHeaders): void {
    if (!this.over) this.call.onInformational(status, headers);
  }

  onHeaders(status: number, headers: RawHeaders): void {
    if (this.over) return;
    this.answered = true;
    joinRepeated(headers, JOINED_RESPONSE_HEADERS);
    this.call.onHeaders(this, status, headers);
  }

  onData(chunk: Buffer): boolean {
    return this.over ? true : this.call.onData(chunk);
  }

  onTrailers(trailers: RawHeaders): void {
    if (!this.over) this.call.onTrailers(trailers);
  }

  onEnd(): void {
    if (this.over) return;
    this.over = true;
    this.call.onEnd(this);
  }

  onUpgrade(status: number, headers: RawHeaders, socket: Duplex): void {
    if (this.over) {
      socket.destroy();
      return;
    }
    this.over = true;
    this.answered = true;
    this.call.onUpgrade(this, status, headers, socket);
  }

  onDrain(): void {
    this.blocked = false;
    if (!this.over) this.call.onUpstreamDrain(this);
  }

  onReset(reason: ResetReason): void {
    if (this.over) return;
    this.over = true;
    this.call.onReset(this, reason);
  }
}
