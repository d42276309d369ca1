/** One item of an EDF schedule. */
interface Entry<T> {
  item: T;
  deadline: number;
  /** Ties go to what was queued first. */
  order: number;
}

/**
 * Earliest deadline first: picks items in proportion to weights that may change between picks, spread as evenly as possible.
 * A binary heap; a pick is O(log n). Envoy: EdfScheduler.
 */
export class EdfScheduler<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #weight: (item: T) => number;
  #time = 0;
  #order = 0;

  /**
   * @param weight of an item, asked each time it is picked; positive
   * @param start in [0, 1): where in the schedule to begin, so that proxies do not all begin with the same item
   */
  constructor(items: readonly T[], weight: (item: T) => number, start: number) {
    this.#weight = weight;
    for (const item of items) this.#push(item);
    const skip = Math.floor(start * items.length);
    for (let i = 0; i < skip; i++) this.pick();
  }

  pick(): T | undefined {
    const heap = this.#heap;
    const top = heap[0];
    if (top === undefined) return undefined;
    this.#time = top.deadline;
    top.deadline = this.#time + 1 / this.#weight(top.item);
    top.order = this.#order++;
    this.#sink(0);
    return top.item;
  }

  #push(item: T): void {
    const heap = this.#heap;
    const entry: Entry<T> = { item, deadline: this.#time + 1 / this.#weight(item), order: this.#order++ };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from]!;
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
