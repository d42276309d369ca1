/** How long to wait before the next try, so that thousands of agents do not come back in one wave when an API server does. */

/** Milliseconds. `random` gives 0 to 1. */
export interface BackOffOptions {
  first: number;
  longest: number;
  random?: () => number;
}

export interface BackOff {
  /** The next pause: anything from nothing to a limit that doubles from try to try ("full jitter"). */
  next(): number;
  reset(): void;
}

/** https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export function createBackOff({ first, longest, random = Math.random }: BackOffOptions): BackOff {
  let limit = first;
  return {
    next() {
      const pause = random() * limit;
      limit = Math.min(longest, limit * 2);
      return pause;
    },
    reset() {
      limit = first;
    },
  };
}

/** Resolves after `ms`, or at once when the signal comes. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
