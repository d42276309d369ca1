import type { Gauge } from '../types.ts';

/** A number that goes up and down. Hot code may change `value` itself. */
export class StatGauge implements Gauge {
  value = 0;
  #set = false;

  inc(n = 1): void {
    this.value += n;
    this.#set = true;
  }

  dec(n = 1): void {
    this.value -= n;
    this.#set = true;
  }

  set(n: number): void {
    this.value = n;
    this.#set = true;
  }

  get used(): boolean {
    return this.#set || this.value !== 0;
  }
}
