/** Keeps one embedded proxy's process running: takes over what is there, else starts it, and starts it anew when it ends. */
import { FairleadError } from '../../src/errors.ts';
import { createBackOff } from '../back-off.ts';
import type { EngineStatus } from '../engine.ts';
import { exchange, type HttpTarget, streamLines } from '../http-client.ts';
import type { Log } from '../log.ts';
import type { Hello, ProxyEvent } from '../proxy/protocol.ts';
import { adoptProxyProcess, greet, type ProxyProcess, type ProxyProcessOptions, startProxyProcess } from './process.ts';

export interface SupervisorOptions extends ProxyProcessOptions {
  target: HttpTarget;
  log: Log;
  /** How often the process is asked whether it still answers, milliseconds; 2000 when undefined. */
  pulseMs?: number;
  /** A new process is there and knows nothing yet: gives it its config. Never rejects. It counts as running afterwards. */
  equip(): Promise<void>;
}

export interface Supervisor {
  /** Throws E_ENGINE_FAILED, E_DATA_DIRECTORY. */
  start(): Promise<Hello>;
  status(): EngineStatus;
  onStatus(listener: (status: EngineStatus) => void): () => void;
  /** Resolves when the process takes config. Throws E_ENGINE_FAILED when it does not within `timeoutMs`, or is stopped. */
  running(timeoutMs: number): Promise<void>;
  draining(): void;
  /** Ends the process. Idempotent. */
  stop(): Promise<void>;
  /** Leaves the process alone from here on. Idempotent. */
  detach(): Promise<void>;
}

/** What a process gets for ending by itself before it is killed. */
const END_MS = 5000;
const REATTACH_MS = 100;
/** An event loop that hangs holds its ports and answers nobody: after so many questions without an answer the process is killed. */
const PULSE_MS = 2000;
const MISSED_PULSES = 5;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { log, target } = options;
  const listeners = new Set<(s: EngineStatus) => void>();
  let status: EngineStatus = {
    engine: 'embedded',
    engineVersion: options.version,
    state: 'starting',
    pid: undefined,
    since: Date.now(),
    restarts: 0,
    lastExit: undefined,
    adopted: false,
    processes: [],
  };
  let current: ProxyProcess | undefined;
  let leash: (() => void) | undefined;
  let pulse: (() => void) | undefined;
  const backOff = createBackOff();
  let timer: NodeJS.Timeout | undefined;
  let launching: Promise<unknown> | undefined;
  let closing: Promise<void> | undefined;
  const isClosing = (): boolean => closing !== undefined;
  /** Why we ended a process ourselves. */
  const reasons = new WeakMap<ProxyProcess, string>();

  function set(change: Partial<EngineStatus>): void {
    const { engineVersion: version, state, pid, since, restarts, lastExit, adopted } = { ...status, ...change };
    status = { ...status, ...change, processes: [{ proxy: undefined, version, state, pid, since, restarts, lastExit, adopted }] };
    for (const l of listeners) l(status);
  }

  /** From here on the end of `proxy` is noticed: by its exit, or by the end of the control connection. */
  function follow(proxy: ProxyProcess): void {
    leash = streamLines(target, '/fairlead/v1/events?records=false', {
      line: (event) => {
        const e = event as ProxyEvent;
        if ('log' in e) log[e.log.level](`proxy: ${e.log.message}`);
      },
      ended: () => void lookAfter(proxy),
    });
    pulse?.();
    pulse = feelPulse(target, options.pulseMs ?? PULSE_MS, () => void hung(proxy));
  }

  async function hung(proxy: ProxyProcess): Promise<void> {
    if (isClosing() || current !== proxy) return;
    const seconds = ((options.pulseMs ?? PULSE_MS) * MISSED_PULSES) / 1000;
    const why = `it did not answer for ${seconds} s and was killed`;
    log.error('the embedded proxy hangs: it is killed', { pid: proxy.hello.pid, silentForSeconds: seconds });
    reasons.set(proxy, why);
    await proxy.gone(0);
    lost(proxy, why);
  }

  /** The control connection ended. Usually the process is gone; if not, it is spoken to again, or made to end: it holds the ports. */
  async function lookAfter(proxy: ProxyProcess): Promise<void> {
    const hello = await greet(target);
    if (isClosing() || current !== proxy) return;
    if (hello?.pid !== proxy.hello.pid) return lost(proxy, await proxy.gone(END_MS));
    await new Promise((resolve) => setTimeout(resolve, REATTACH_MS));
    if (!isClosing() && current === proxy) follow(proxy);
  }

  function lost(proxy: ProxyProcess, seen: string): void {
    if (isClosing() || current !== proxy) return;
    const why = reasons.get(proxy) ?? seen;
    current = undefined;
    leash?.();
    pulse?.();
    backOff.endedAfter(status.since);
    const wait = backOff.next();
    log.error('the embedded proxy ended', { pid: proxy.hello.pid, why, restartInMs: wait });
    set({ state: 'backing-off', pid: undefined, lastExit: why, restarts: status.restarts + 1, adopted: false });
    timer = setTimeout(() => void restart(), wait);
  }

  async function restart(): Promise<void> {
    try {
      await launch();
      if (status.state === 'running') log.info('the embedded proxy is back', { pid: status.pid });
    } catch (error) {
      if (isClosing()) return;
      const wait = Math.max(backOff.next(), 100);
      log.error('the embedded proxy could not be started', { why: (error as Error).message, restartInMs: wait });
      set({ state: 'backing-off', pid: undefined, lastExit: (error as Error).message });
      timer = setTimeout(() => void restart(), wait);
    }
  }

  function launch(): Promise<Hello> {
    const run = (async () => {
      const proxy = await startProxyProcess(target, options, isClosing);
      current = proxy;
      if (isClosing()) return proxy.hello;
      follow(proxy);
      proxy.onExit((why) => lost(proxy, why));
      await options.equip();
      // It may have ended meanwhile; then the next start is under way already.
      if (current === proxy && !isClosing()) running(proxy);
      return proxy.hello;
    })();
    launching = run;
    return run;
  }

  function running({ hello, adopted }: ProxyProcess): void {
    set({ state: 'running', pid: hello.pid, since: hello.startedAt, engineVersion: hello.version, adopted });
  }

  function release(): void {
    if (timer) clearTimeout(timer);
    leash?.();
    pulse?.();
  }

  async function end(): Promise<void> {
    release();
    await launching?.catch(() => undefined);
    release();
    const proxy = current;
    current = undefined;
    if (proxy) {
      await exchange(target, 'POST', '/fairlead/v1/stop', undefined, END_MS).catch(() => undefined);
      await proxy.gone(END_MS);
      log.debug('the embedded proxy ended', { pid: proxy.hello.pid });
    }
    set({ state: 'stopped', pid: undefined, lastExit: 'stopped' });
  }

  return {
    async start() {
      const found = await adoptProxyProcess(target);
      if (!found) return launch();
      current = found;
      if (isClosing()) return found.hello;
      log.info('took over the running proxy', { pid: found.hello.pid });
      if (found.hello.version !== options.version)
        log.warning('the running proxy is of another version; `fairlead agent stop` and a new start replace it', {
          its: found.hello.version,
          ours: options.version,
        });
      follow(found);
      running(found);
      return found.hello;
    },
    status: () => status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    running(timeoutMs) {
      const ready = (): boolean => status.state === 'running' || status.state === 'draining';
      if (ready()) return Promise.resolve();
      if (status.state === 'stopped') return Promise.reject(notRunning(status));
      return new Promise((resolve, reject) => {
        const done = (): void => {
          if (!ready() && status.state !== 'stopped') return;
          finish();
        };
        const late = setTimeout(finish, timeoutMs);
        listeners.add(done);
        function finish(): void {
          clearTimeout(late);
          listeners.delete(done);
          if (ready()) resolve();
          else reject(notRunning(status));
        }
      });
    },
    draining: () => set({ state: 'draining' }),
    stop() {
      closing ??= end();
      return closing;
    },
    detach() {
      closing ??= Promise.resolve(release());
      return closing;
    },
  };
}

/**
 * Asks the process again and again; calls `dead` once when it has been silent for MISSED_PULSES questions. Questions are counted, not
 * seconds: a laptop that wakes up misses one. Returns the function that ends it.
 */
function feelPulse(target: HttpTarget, everyMs: number, dead: () => void): () => void {
  let missed = 0;
  let timer = setTimeout(ask, everyMs).unref();
  let over = false;
  async function ask(): Promise<void> {
    const asked = performance.now();
    const answered = (await greet(target, everyMs)) !== undefined;
    if (over) return;
    missed = answered ? 0 : missed + 1;
    if (missed >= MISSED_PULSES) dead();
    else timer = setTimeout(ask, Math.max(0, everyMs - (performance.now() - asked))).unref();
  }
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function notRunning({ state, lastExit }: EngineStatus): FairleadError {
  return new FairleadError('E_ENGINE_FAILED', `the embedded proxy is not running (${lastExit ?? state})`, {
    next: state === 'stopped' ? 'Start the agent again.' : 'It is being restarted; the configuration is applied when it is back.',
  });
}
