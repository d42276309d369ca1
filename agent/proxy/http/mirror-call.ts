import { mirrorsOf, shadowAuthority } from '../../../src/routing/mirror.ts';
import type { RouteDecision } from '../../../src/routing/types.ts';
import type { RawHeaders, UpstreamHandler, UpstreamStream } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundRequest } from './prepare-request.ts';
import { startTimer, type TimerOwner, type WheelTimer } from './timer-wheel.ts';

/** A copy of a request. Whatever becomes of it, the request itself does not notice. */
export class MirrorCall implements UpstreamHandler, TimerOwner {
  stream: UpstreamStream | undefined;
  timer: WheelTimer | undefined;
  readonly #limit: number;
  #waiting = 0;
  #over = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A mirror that does not keep up is given up once a buffer's worth of body waits for it. */
  write(chunk: Buffer): void {
    if (this.#over || this.stream === undefined) return;
    if (this.stream.write(chunk)) return;
    this.#waiting += chunk.length;
    if (this.#waiting > this.#limit) this.cancel();
  }

  end(trailers: RawHeaders | undefined): void {
    if (!this.#over) this.stream?.end(trailers);
  }

  cancel(): void {
    if (this.#over) return;
    this.#finish();
    this.stream?.cancel('downstream');
  }

  onTimer(): void {
    if (this.#over) return;
    this.#finish();
    this.stream?.cancel('timeout');
  }

  onHeaders(): void {}

  onData(): boolean {
    return true;
  }

  onEnd(): void {
    this.#finish();
  }

  onDrain(): void {
    this.#waiting = 0;
  }

  onReset(): void {
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.timer?.cancel();
  }
}

/** Sends the copies that the route asks for: same headers, the body as it comes, after what came of it before. Envoy: request_mirror_policies. */
export function startMirrors(
  exchange: Exchange,
  decision: RouteDecision,
  out: OutboundRequest,
  early: { readonly pieces: readonly Buffer[]; readonly trailers: RawHeaders | undefined } | undefined,
): readonly MirrorCall[] {
  const calls: MirrorCall[] = [];
  for (const target of mirrorsOf(decision, exchange.request)) {
    const cluster = exchange.manager.clusters.get(target.cluster);
    const host = cluster?.chooseHost({ ...out.balance });
    if (cluster === undefined || host === undefined) continue;
    const headers = out.request.headers.slice();
    if (target.appendShadowSuffix) headers[1] = shadowAuthority(out.authority);
    const call = new MirrorCall(out.bufferLimit);
    if (out.timeouts.global > 0) call.timer = startTimer(call, 0, out.timeouts.global);
    call.stream = cluster.request(host, { ...out.request, headers }, call);
    calls.push(call);
    if (early === undefined) continue;
    for (const piece of early.pieces) call.write(piece);
    if (exchange.requestEnded) call.end(early.trailers);
  }
  return calls;
}
