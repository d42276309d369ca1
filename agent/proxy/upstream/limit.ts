import type { Gauge } from '../types.ts';

/** One circuit breaker: how many there may be at once. Gauges are Envoy's `<x>_open` and `remaining_<x>`. */
export class Limit {
  readonly max: number;
  current = 0;
  readonly #open: Gauge;
  readonly #remaining: Gauge | undefined;

  constructor(max: number, open: Gauge, remaining: Gauge | undefined) {
    this.max = max;
    this.#open = open;
    this.#remaining = remaining;
    this.#show();
  }

  /** There may be one more. */
  get free(): boolean {
    return this.current < this.max;
  }

  inc(): void {
    this.current++;
    if (this.current >= this.max) this.#open.value = 1;
    if (this.#remaining !== undefined) this.#show();
  }

  dec(): void {
    this.current--;
    if (this.current < this.max) this.#open.value = 0;
    if (this.#remaining !== undefined) this.#show();
  }

  #show(): void {
    this.#open.value = this.free ? 0 : 1;
    if (this.#remaining !== undefined) this.#remaining.value = Math.max(0, this.max - this.current);
  }
}
