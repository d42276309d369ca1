import type { Counter } from '../types.ts';

/** A number that only grows, until it is reset. Hot code may add to `value` itself. */
export class StatCounter implements Counter {
  value = 0;
  /** It had a value before a reset. */
  wasUsed = false;

  inc(n = 1): void {
    this.value += n;
  }

  get used(): boolean {
    return this.value !== 0 || this.wasUsed;
  }

  reset(): void {
    this.wasUsed = this.used;
    this.value = 0;
  }
}
