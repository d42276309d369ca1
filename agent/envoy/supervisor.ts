/**
 * Keeps the Envoy of one proxy running: takes over what is there, else starts it, starts it anew when it ends, replaces it by hot restart.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/hot_restart
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { createBackOff } from '../back-off.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { EngineProcess } from '../engine.ts';
import type { HttpAnswer } from '../http-client.ts';
import type { Log } from '../log.ts';
import { makeFolder } from '../make-folder.ts';
import type { OsProcess } from '../os-process.ts';
import { type EnvoyAdmin, envoyAdmin } from './admin.ts';
import { type EnvoyPlan, planHash } from './command-line.ts';
import { drainEnvoy } from './drain.ts';
import { launchEnvoy } from './launch.ts';
import { followLogFile, type LogFile } from './log-file.ts';
import { removeSharedMemory } from './shared-memory.ts';
import { type EnvoyRun, type EnvoyState, envoyFiles, exitFile, keyOf, stateFile } from './state.ts';
import { type FoundRun, findRunning } from './take-over.ts';
import { readHotRestartVersion } from './version.ts';

export interface SupervisorOptions {
  data: Pick<DataDirectory, 'path' | 'write' | 'remove'>;
  proxyId: string;
  /** `<name>.<namespace>` */
  name: string;
  adminSocket: string;
  log: Log;
  /** What is to run now. */
  plan(): EnvoyPlan;
  /** Before a process is started in place of one that ended. */
  prepare(): Promise<void>;
  /** A new process answers: waits until it has its config. Never rejects. It counts as running afterwards. */
  equip(): Promise<void>;
  onStatus(): void;
}

export interface Supervisor {
  readonly admin: EnvoyAdmin;
  status(): EngineProcess;
  /** Takes over what an earlier agent left; false when there is nothing that answers. */
  adopt(state: EnvoyState): Promise<boolean>;
  /** Starts it when it is not there yet. Throws E_ENGINE_FAILED, also when one that ended is not back in time. */
  ensure(timeoutMs: number): Promise<void>;
  /** Replaces the process by hot restart when what it was started with is no longer what is to run. Never rejects. */
  refresh(): Promise<void>;
  send(method: string, path: string): Promise<HttpAnswer>;
  /** Requests in flight finish, at most `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends the process. Idempotent. */
  stop(): Promise<void>;
  /** Leaves the process alone from here on. Idempotent. */
  detach(): void;
}

/** What a process gets for ending by itself before it is killed. */
const END_MS = 5000;
interface Running extends FoundRun {
  unwatch(): void;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { data, proxyId, name, log, adminSocket } = options;
  const key = keyOf(proxyId, name);
  const files = envoyFiles(data.path, key);
  const admin = envoyAdmin(adminSocket);
  const waiting = new Set<() => void>();
  let status: EngineProcess = {
    proxy: name,
    version: '',
    state: 'starting',
    pid: undefined,
    since: Date.now(),
    restarts: 0,
    lastExit: undefined,
    adopted: false,
  };
  let current: Running | undefined;
  /** Old processes of hot restarts, and new ones that do not answer yet. */
  const others = new Set<Running>();
  let logFile: LogFile | undefined;
  const backOff = createBackOff();
  let timer: NodeJS.Timeout | undefined;
  let launching: Promise<void> | undefined;
  let closed = false;
  let stopping: Promise<void> | undefined;
  /** A hot restart that failed is not tried again with the same plan. */
  let givenUp: string | undefined;

  function set(change: Partial<EngineProcess>): void {
    status = { ...status, ...change };
    options.onStatus();
    for (const done of [...waiting]) done();
  }

  function save(): void {
    const runs = [...others, ...(current ? [current] : [])].map((r) => r.run).sort((a, b) => a.epoch - b.epoch);
    try {
      if (runs.length === 0) data.remove(stateFile(key));
      else data.write(stateFile(key), JSON.stringify({ proxyId, name, adminSocket, runs } satisfies EnvoyState));
    } catch (error) {
      log.error('the next agent will not find this Envoy', { proxy: name, why: (error as Error).message });
    }
  }

  function open(): LogFile {
    makeFolder(dirname(files.log));
    logFile ??= followLogFile({
      file: files.log,
      log,
      proxy: name,
      reopen: () => void admin.send('POST', '/reopen_logs').catch(() => undefined),
    });
    return logFile;
  }

  /** From here on its end is noticed. */
  function watch(process: OsProcess, run: EnvoyRun): Running {
    const running: Running = { process, run, unwatch: () => undefined };
    running.unwatch = process.onExit((why) => {
      if (closed) return;
      if (others.delete(running)) save();
      if (current === running) lost(why);
    });
    return running;
  }

  function lost(why: string): void {
    const { run } = current as Running;
    current = undefined;
    logFile?.read();
    if (launching) return;
    // A predecessor that still drains was to be ended by the process that is gone now.
    for (const o of others) o.process.signal('SIGTERM');
    backOff.endedAfter(status.since);
    const wait = backOff.next();
    log.error('Envoy ended', { proxy: name, pid: run.pid, why, restartInMs: wait });
    set({ state: 'backing-off', pid: undefined, lastExit: why, restarts: status.restarts + 1, adopted: false });
    save();
    timer = setTimeout(() => void restart(), wait);
  }

  async function restart(): Promise<void> {
    try {
      await Promise.all([...others].map((o) => o.process.gone(END_MS)));
      await options.prepare();
      await launch(0);
      if (closed || !current) return;
      await options.equip();
      if (current && !closed) {
        running(current, false);
        log.info('Envoy is back', { proxy: name, pid: status.pid });
      }
    } catch (error) {
      if (closed) return;
      const wait = Math.max(backOff.next(), 100);
      log.error('Envoy could not be started', { proxy: name, why: (error as Error).message, restartInMs: wait });
      set({ state: 'backing-off', pid: undefined, lastExit: (error as Error).message });
      timer = setTimeout(() => void restart(), wait);
    }
  }

  /** Starts a process and makes it the current one. Throws E_ENGINE_FAILED. */
  function launch(epoch: number): Promise<void> {
    const work = (async () => {
      const plan = options.plan();
      const log = open();
      let next: Running | undefined;
      const process = await launchEnvoy({
        plan,
        files,
        exitFile: exitFile(data.path, key, epoch),
        proxyId,
        admin,
        epoch,
        cancelled: () => closed,
        said() {
          log.read();
          return log.tail();
        },
        started(process) {
          const { version, stamp } = plan.binary;
          next = watch(process, { pid: process.pid, identity: process.identity, epoch, version, stamp, plan: planHash(plan) });
          others.add(next);
          save();
        },
      });
      const successor = next as unknown as Running;
      others.delete(successor);
      if (current) others.add(current);
      current = successor;
      save();
      if (!process.alive())
        throw new FairleadError('E_ENGINE_FAILED', 'Envoy ended as soon as it had started', { next: `Its log is ${files.log}.` });
    })();
    launching = work.finally(() => {
      launching = undefined;
    });
    return launching;
  }

  function running({ run }: Running, adopted: boolean): void {
    set({ state: 'running', pid: run.pid, since: Date.now(), version: run.version, adopted });
  }

  function release(): void {
    closed = true;
    if (timer) clearTimeout(timer);
    for (const r of [...others, ...(current ? [current] : [])]) r.unwatch();
    logFile?.close();
    for (const done of [...waiting]) done();
  }

  async function end(): Promise<void> {
    closed = true;
    if (timer) clearTimeout(timer);
    await launching?.catch(() => undefined);
    release();
    const mine = current;
    current = undefined;
    for (const o of others) o.process.signal('SIGTERM');
    if (mine) await admin.send('POST', '/quitquitquit', END_MS).catch(() => mine.process.signal('SIGTERM'));
    await Promise.all([...others, ...(mine ? [mine] : [])].map((r) => r.process.gone(END_MS)));
    others.clear();
    save();
    rmSync(adminSocket, { force: true });
    removeSharedMemory(files.baseId);
    set({ state: 'stopped', pid: undefined, lastExit: 'stopped' });
  }

  return {
    admin,
    status: () => status,
    async adopt(state) {
      const found = await findRunning(state, { admin, exitFile: (epoch) => exitFile(data.path, key, epoch), endMs: END_MS, log });
      if (!found || closed) return false;
      const { mine, older } = found;
      open();
      for (const o of older) others.add(watch(o.process, o.run));
      current = watch(mine.process, mine.run);
      running(current, true);
      log.info('took over the running Envoy', { proxy: name, pid: mine.run.pid, version: mine.run.version });
      return true;
    },
    async ensure(timeoutMs) {
      if (closed) throw notRunning(status);
      if (!current && !launching && status.state === 'starting') {
        await launch(0);
        if (current && !closed) running(current, false);
        return;
      }
      await until(timeoutMs);
    },
    async refresh() {
      if (closed || launching || !current || status.state !== 'running') return;
      const plan = options.plan();
      const { run } = current;
      const hash = planHash(plan);
      const due = `${plan.binary.stamp} ${hash}`;
      if ((run.stamp === plan.binary.stamp && run.plan === hash) || givenUp === due) return;
      const why = run.stamp === plan.binary.stamp ? 'another bootstrap' : `Envoy ${plan.binary.version}`;
      const failed = (reason: string): void => {
        givenUp = due;
        log.error('the hot restart failed; the running Envoy serves on', { proxy: name, why: reason });
      };
      if (!(await compatible(plan)))
        return failed(
          `Envoy ${plan.binary.version} cannot take over from ${run.version}; \`fairlead agent stop\` and a new start replace it`,
        );
      log.info('hot restart', { proxy: name, for: why, pid: run.pid });
      try {
        await launch(run.epoch + 1);
        if (!current || closed) return;
        await options.equip();
        if (!current || closed) return;
        running(current, false);
        log.info('hot restart done; the old process drains', { proxy: name, pid: status.pid });
      } catch (error) {
        failed((error as Error).message);
        // It may have died meanwhile, when its end was not to be acted on.
        if (!closed && !current?.process.alive()) {
          set({ state: 'backing-off', pid: undefined, restarts: status.restarts + 1, lastExit: (error as Error).message, adopted: false });
          timer = setTimeout(() => void restart(), backOff.next());
        }
      }
    },
    async send(method, path) {
      if (!current) throw notRunning(status);
      try {
        return await admin.send(method, path);
      } catch (error) {
        throw new FairleadError('E_ENGINE_FAILED', `the admin API of ${name}'s Envoy does not answer: ${(error as Error).message}`, {
          next: `Its log is ${files.log}.`,
          cause: error,
        });
      }
    },
    async drain(deadlineMs) {
      if (closed || !current) return;
      set({ state: 'draining' });
      const { process } = current;
      await drainEnvoy(admin, deadlineMs, () => stopping !== undefined || !process.alive());
    },
    stop() {
      stopping ??= closed ? Promise.resolve() : end();
      return stopping;
    },
    detach() {
      if (closed) return;
      release();
    },
  };

  async function compatible(plan: EnvoyPlan): Promise<boolean> {
    const [running, next] = [(await admin.serverInfo())?.hotRestartVersion, await readHotRestartVersion(plan.binary.path)];
    return running === undefined || next === undefined || running === next;
  }

  /** Resolves once it runs. Throws E_ENGINE_FAILED when it does not within the time, or is stopped. */
  function until(timeoutMs: number): Promise<void> {
    const ready = (): boolean => current !== undefined && (status.state === 'running' || status.state === 'draining');
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (ready() || closed) finish();
      };
      const late = setTimeout(finish, timeoutMs);
      waiting.add(check);
      function finish(): void {
        clearTimeout(late);
        waiting.delete(check);
        if (ready() && !closed) resolve();
        else reject(notRunning(status));
      }
      check();
    });
  }
}

function notRunning({ proxy, state, lastExit }: EngineProcess): FairleadError {
  return new FairleadError('E_ENGINE_FAILED', `the Envoy of ${proxy} is not running (${lastExit ?? state})`, {
    next: state === 'stopped' ? 'Start the agent again.' : 'It is being restarted; the configuration is applied when it is back.',
  });
}
