/** Successes of one host, interval by interval. Envoy: SuccessRateAccumulator. */
export class SuccessRate {
  #total = 0;
  #success = 0;
  #lastTotal = 0;
  #lastSuccess = 0;
  /** Of the last interval, as `/clusters` shows it: percent, or -1 for too few requests. */
  shown = -1;

  add(success: boolean): void {
    this.#total++;
    if (success) this.#success++;
  }

  /** Ends an interval; what was counted in it is looked at until the next one ends. */
  rotate(): void {
    this.#lastTotal = this.#total;
    this.#lastSuccess = this.#success;
    this.#total = 0;
    this.#success = 0;
    this.shown = -1;
  }

  /** Requests of the interval that ended. */
  get volume(): number {
    return this.#lastTotal;
  }

  /** Percent; NaN without requests. */
  get rate(): number {
    return (this.#lastSuccess * 100) / this.#lastTotal;
  }
}
