import { EventEmitter } from 'node:events';

/** undici looks here to see whether it has to destroy what it read: it has not. */
const STATE = { autoDestroy: true };

/**
 * A request's body as undici reads it, with as little of a stream as it needs: `data`, `end`, `close`, pause and resume.
 * What is written before anybody listens, or while the reader is paused, waits in order.
 */
export class RequestBody extends EventEmitter {
  readonly _readableState = STATE;
  destroyed = false;
  readonly #writer: { onDrain?(): void };
  #flowing = false;
  #waiting: Buffer[] = [];
  #ended = false;
  #endEmitted = false;
  #wantsDrain = false;

  /** @param writer told when the reader wants more, after `write` returned false */
  constructor(writer: { onDrain?(): void }) {
    super();
    this.#writer = writer;
  }

  /** False: stop until `onDrain`. */
  write(chunk: Buffer): boolean {
    if (this.destroyed || this.#ended) return true;
    if (this.#flowing && this.#waiting.length === 0) this.emit('data', chunk);
    else this.#waiting.push(chunk);
    this.#wantsDrain = !this.#flowing;
    return this.#flowing;
  }

  end(): void {
    if (this.destroyed || this.#ended) return;
    this.#ended = true;
    if (this.#flowing) this.#flow();
  }

  pipe(): never {
    throw new Error('a request body is read by listening');
  }

  pause(): this {
    this.#flowing = false;
    return this;
  }

  resume(): this {
    if (this.destroyed || this.#flowing) return this;
    this.#flowing = true;
    this.#flow();
    if (this.#flowing && this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#writer.onDrain?.();
    }
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#flowing = false;
    this.#waiting = [];
    this.emit('close');
    return this;
  }

  #flow(): void {
    while (this.#flowing && this.#waiting.length > 0) this.emit('data', this.#waiting.shift());
    if (this.#flowing && this.#ended && this.#waiting.length === 0 && !this.#endEmitted) {
      this.#endEmitted = true;
      this.emit('end');
    }
  }
}
