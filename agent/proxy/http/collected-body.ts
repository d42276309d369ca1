import type { RawHeaders } from '../types.ts';
import type { DownstreamStream } from './downstream-stream.ts';

/** A request's body as far as filters wanted to see it before the router runs. */
export class CollectedBody {
  readonly pieces: Buffer[] = [];
  trailers: RawHeaders | undefined;
  readonly #stream: DownstreamStream;
  #bytes = 0;
  #ended = false;
  #started = false;
  /** Who waits for how much of it; told once. */
  #waiting: { readonly enough: number; done(): void } | undefined;

  constructor(stream: DownstreamStream) {
    this.#stream = stream;
  }

  /** Calls back when `enough` bytes are there, or all; at once when they are. */
  want(enough: number, done: () => void): void {
    if (this.#ended || this.#bytes >= enough) {
      done();
      return;
    }
    this.#waiting = { enough, done };
    if (!this.#started && this.#stream.expectsContinue) this.#stream.sendInformational(100, []);
    this.#started = true;
    this.#stream.resumeRequest();
  }

  take(chunk: Buffer): void {
    this.pieces.push(chunk);
    this.#bytes += chunk.length;
    const waiting = this.#waiting;
    if (waiting === undefined || this.#bytes < waiting.enough) return;
    this.#waiting = undefined;
    this.#stream.pauseRequest();
    waiting.done();
  }

  /** The body is complete; who waits is told, unless the exchange is over. */
  end(trailers: RawHeaders | undefined, over: boolean): void {
    this.trailers = trailers;
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!over) waiting?.done();
  }
}
