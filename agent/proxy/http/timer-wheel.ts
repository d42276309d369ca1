/** Milliseconds between two turns: timers fire up to this much late, never early. */
const TICK = 4;
const SLOTS = 1024;

/** What a timer calls when it is due; `kind` says which of the owner's timers it is. */
export interface TimerOwner {
  onTimer(kind: number): void;
}

/** A running timer; `cancel` costs nothing to call twice. */
export class WheelTimer {
  readonly owner: TimerOwner;
  readonly kind: number;
  readonly deadline: number;
  next: WheelTimer | undefined;
  previous: WheelTimer | undefined;
  slot = -1;

  constructor(owner: TimerOwner, kind: number, deadline: number) {
    this.owner = owner;
    this.kind = kind;
    this.deadline = deadline;
  }

  cancel(): void {
    if (this.slot >= 0) unlink(this);
  }
}

const slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
let running = 0;
let ticker: NodeJS.Timeout | undefined;
let turned = 0;

/**
 * All timeouts of requests and connections turn on one wheel with one timer of the runtime: starting and cancelling is a few
 * stores, however many there are. The wheel never keeps the process alive.
 */
export function startTimer(owner: TimerOwner, kind: number, ms: number): WheelTimer {
  const now = performance.now();
  const timer = new WheelTimer(owner, kind, now + ms);
  if (running === 0) turned = Math.floor(now / TICK);
  link(timer);
  if (ticker === undefined) ticker = setInterval(turn, TICK).unref();
  return timer;
}

function link(timer: WheelTimer): void {
  const slot = Math.max(turned + 1, Math.ceil(timer.deadline / TICK)) % SLOTS;
  timer.slot = slot;
  timer.previous = undefined;
  timer.next = slots[slot];
  if (timer.next !== undefined) timer.next.previous = timer;
  slots[slot] = timer;
  running++;
}

function unlink(timer: WheelTimer): void {
  if (timer.previous === undefined) slots[timer.slot] = timer.next;
  else timer.previous.next = timer.next;
  if (timer.next !== undefined) timer.next.previous = timer.previous;
  timer.slot = -1;
  timer.next = timer.previous = undefined;
  running--;
}

function turn(): void {
  const now = performance.now();
  const until = Math.floor(now / TICK);
  // After a long pause one whole turn sees every slot.
  let at = Math.max(turned + 1, until - SLOTS + 1);
  turned = until;
  for (; at <= until; at++) {
    let timer = slots[at % SLOTS];
    let due: WheelTimer[] | undefined;
    for (; timer !== undefined; timer = timer.next) {
      if (timer.deadline <= now) {
        due ??= [];
        due.push(timer);
      }
    }
    if (due === undefined) continue;
    for (const one of due) {
      // An earlier one of the same turn may have cancelled it.
      if (one.slot < 0) continue;
      unlink(one);
      one.owner.onTimer(one.kind);
    }
  }
  if (running === 0 && ticker !== undefined) {
    clearInterval(ticker);
    ticker = undefined;
  }
}
