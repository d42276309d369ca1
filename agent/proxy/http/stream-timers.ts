import type { HttpStats } from './http-stats.ts';
import type { FlagName } from './response-flags.ts';
import { startTimer, type TimerOwner, type WheelTimer } from './timer-wheel.ts';

/** What runs out of time: an exchange. */
export interface TimedStream {
  readonly manager: { readonly stats: HttpStats };
  readonly done: boolean;
  readonly requestEnded: boolean;
  readonly responseStarted: boolean;
  /** By performance.now(). */
  readonly started: number;
  details: string;
  addFlag(flag: FlagName): void;
  localReply(status: number, body: string, details: string): void;
}

const TIMER = { idle: 0, request: 1, maxStream: 2 } as const;

/** A stream's own timeouts: idleness, the whole request, the whole stream. Milliseconds; made when the first one is set. */
export class StreamTimers implements TimerOwner {
  readonly #stream: TimedStream;
  readonly #timers: (WheelTimer | undefined)[] = [undefined, undefined, undefined];
  #idleMs = 0;
  #lastActivity = 0;

  constructor(stream: TimedStream) {
    this.#stream = stream;
  }

  /** 0 switches it off. */
  setIdle(ms: number): void {
    this.#idleMs = ms;
    this.#lastActivity = performance.now();
    this.#timers[TIMER.idle]?.cancel();
    if (ms > 0) this.#start(TIMER.idle, ms);
  }

  setRequest(ms: number): void {
    this.#start(TIMER.request, ms);
  }

  /** From the stream's beginning. */
  setMaxStream(ms: number): void {
    this.#timers[TIMER.maxStream]?.cancel();
    if (ms > 0) this.#start(TIMER.maxStream, Math.max(0, ms - (performance.now() - this.#stream.started)));
  }

  active(): void {
    if (this.#idleMs > 0) this.#lastActivity = performance.now();
  }

  requestEnded(): void {
    this.#timers[TIMER.request]?.cancel();
  }

  stop(): void {
    for (const timer of this.#timers) timer?.cancel();
  }

  onTimer(kind: number): void {
    const stream = this.#stream;
    if (stream.done) return;
    const { stats } = stream.manager;
    if (kind === TIMER.idle) this.#onIdle();
    else if (kind === TIMER.request) {
      stats.rqTimeout.value++;
      stream.localReply(408, 'request timeout', 'request_overall_timeout');
    } else {
      stats.rqMaxDuration.value++;
      if (stream.responseStarted) stream.details = 'max_duration_timeout';
      stream.localReply(stream.requestEnded ? 504 : 408, 'downstream duration timeout', 'max_duration_timeout');
    }
  }

  #onIdle(): void {
    const stream = this.#stream;
    const left = this.#lastActivity + this.#idleMs - performance.now();
    if (left > 0) {
      this.#start(TIMER.idle, left);
      return;
    }
    stream.manager.stats.rqIdleTimeout.value++;
    stream.addFlag('SI');
    // Envoy: 408 while the client has not sent the whole request, 504 after.
    if (stream.responseStarted) stream.details = 'stream_idle_timeout';
    stream.localReply(stream.requestEnded ? 504 : 408, 'stream timeout', 'stream_idle_timeout');
  }

  #start(kind: number, ms: number): void {
    this.#timers[kind] = startTimer(this, kind, ms);
  }
}
