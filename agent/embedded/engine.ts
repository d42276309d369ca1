/** The embedded proxy as an engine: its process supervised, its config kept in step, its admin API passed through. */

import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError } from '../../src/errors.ts';
import type { ProxyNode } from '../../src/mesh/types.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import type { ApplyResult, Engine, EngineStatus } from '../engine.ts';
import { exchange, type HttpAnswer, httpTarget, streamLines } from '../http-client.ts';
import type { Log } from '../log.ts';
import type { Applied, AppliedConfig, Hello, ProxyConfig, ProxyEvent, Refused } from '../proxy/protocol.ts';
import { answerConfigDump, asEnvoyWrites } from './envoy-form.ts';
import { adoptable, greet, startProxyProcess } from './process.ts';

export interface EmbeddedEngineOptions {
  socket: string;
  logFile: string;
  version: string;
  orphanSeconds: number | undefined;
  log: Log;
  /** Who a proxy is, for its config dump; undefined while it is not known. */
  describe(proxyId: string): { proxy: ProxyNode; bootstrap: BootstrapJson } | undefined;
}

/** The first restart comes at once, then each later: a crash loop must not eat the machine. */
const BACK_OFF_MS = [0, 100, 250, 500, 1000, 2000, 5000, 10_000];
/** A process that lived this long was healthy: the back-off starts anew. */
const HEALTHY_AFTER_MS = 30_000;
const APPLY_TIMEOUT_MS = 60_000;

export function createEmbeddedEngine(options: EmbeddedEngineOptions): Engine {
  const { log } = options;
  const target = httpTarget(`unix:${options.socket}`) as NonNullable<ReturnType<typeof httpTarget>>;
  /** What each proxy is to run: pushed again whenever a new process starts. */
  const wanted = new Map<string, ProxyConfig>();
  const recordListeners = new Set<(r: RequestRecord) => void>();
  const statusListeners = new Set<(s: EngineStatus) => void>();
  let status: EngineStatus = {
    engine: 'embedded',
    engineVersion: options.version,
    state: 'starting',
    pid: undefined,
    since: Date.now(),
    restarts: 0,
    lastExit: undefined,
    adopted: false,
  };
  let closing = false;
  let failures = 0;
  let leash: (() => void) | undefined;
  let records: (() => void) | undefined;
  let restartTimer: NodeJS.Timeout | undefined;

  function set(change: Partial<EngineStatus>): void {
    status = { ...status, ...change };
    for (const l of statusListeners) l(status);
  }

  function attached(hello: Hello, adopted: boolean): void {
    set({ state: 'running', pid: hello.pid, since: hello.startedAt, adopted });
    leash = streamLines(target, '/fairlead/v1/events?records=false', {
      line: (event) => {
        const e = event as ProxyEvent;
        if ('log' in e) log[e.log.level](`proxy: ${e.log.message}`);
      },
      ended: (error) => lost(hello.pid, error?.message ?? 'the control connection ended'),
    });
    followRecords();
  }

  function followRecords(): void {
    records?.();
    records = undefined;
    if (recordListeners.size === 0 || status.state !== 'running') return;
    records = streamLines(target, '/fairlead/v1/events?records=true', {
      line: (event) => {
        const e = event as ProxyEvent;
        if ('record' in e) for (const l of recordListeners) l(e.record);
        else if ('dropped' in e) log.warning('request records were dropped: nobody read them fast enough', { dropped: e.dropped });
      },
      ended: () => undefined,
    });
  }

  /** The process is gone, or does not answer any more. Called by its exit and by the end of the leash: the first one counts. */
  function lost(pid: number, why: string): void {
    if (closing || status.pid !== pid) return;
    leash?.();
    records?.();
    if (Date.now() - status.since > HEALTHY_AFTER_MS) failures = 0;
    const wait = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)] as number;
    set({ state: 'backing-off', pid: undefined, lastExit: why, restarts: status.restarts + 1, adopted: false });
    log.error('the embedded proxy ended', { pid, why, restartInMs: wait });
    restartTimer = setTimeout(() => void restart(), wait);
  }

  async function restart(): Promise<void> {
    if (closing) return;
    try {
      await launch();
      for (const [id, config] of wanted) await put(id, config);
      log.info('the embedded proxy is back', { pid: status.pid });
    } catch (error) {
      const wait = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)] as number;
      log.error('the embedded proxy could not be started', { why: (error as Error).message, restartInMs: wait });
      set({ state: 'backing-off', lastExit: (error as Error).message });
      if (!closing) restartTimer = setTimeout(() => void restart(), Math.max(wait, 100));
    }
  }

  async function launch(): Promise<void> {
    const pid = { value: -1 };
    const hello = await startProxyProcess(target, options, (why) => lost(pid.value, why));
    pid.value = hello.pid;
    attached(hello, false);
  }

  async function put(id: string, config: ProxyConfig): Promise<ApplyResult> {
    const answer = await exchange(target, 'PUT', `/fairlead/v1/proxies/${encodeURIComponent(id)}`, config, APPLY_TIMEOUT_MS);
    return read(answer);
  }

  function read(answer: HttpAnswer): ApplyResult {
    if (answer.status !== 200 && answer.status !== 409)
      throw new FairleadError(
        'E_ENGINE_FAILED',
        `the embedded proxy answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`,
      );
    return JSON.parse(answer.body.toString('utf8')) as Applied | Refused;
  }

  return {
    async start() {
      const hello = await adoptable(target);
      if (hello) {
        log.info('took over the running proxy', { pid: hello.pid });
        attached(hello, true);
      } else await launch();
    },
    async apply(snapshot: Snapshot) {
      const { id, name, namespace } = snapshot.proxy;
      const { version, listeners, routes, clusters, endpoints } = snapshot;
      const config: ProxyConfig = { version, name: `${name}.${namespace}`, listeners, routes, clusters, endpoints };
      const result = await put(id, config);
      if (result.applied) wanted.set(id, config);
      return result;
    },
    async applyEndpoints(id: string, version: string, endpoints: readonly ClusterLoadAssignmentJson[]) {
      const result = read(
        await exchange(target, 'PUT', `/fairlead/v1/proxies/${encodeURIComponent(id)}/endpoints`, { version, endpoints }, APPLY_TIMEOUT_MS),
      );
      const config = wanted.get(id);
      if (result.applied && config) wanted.set(id, { ...config, version, endpoints });
      return result;
    },
    async remove(id) {
      wanted.delete(id);
      await exchange(target, 'DELETE', `/fairlead/v1/proxies/${encodeURIComponent(id)}`);
    },
    async admin(id, method, path) {
      if (path === '/config_dump' || path.startsWith('/config_dump?')) {
        const { status: code, body } = await exchange(target, 'GET', `/fairlead/v1/proxies/${encodeURIComponent(id)}/config`);
        if (code !== 200) return { status: code, contentType: 'application/json', body };
        const of = options.describe(id);
        if (!of) return { status: 503, contentType: 'text/plain', body: Buffer.from('the configuration is being read\n') };
        return answerConfigDump(JSON.parse(body.toString('utf8')) as AppliedConfig, of, path);
      }
      return asEnvoyWrites(await exchange(target, method, `/proxies/${encodeURIComponent(id)}${path}`));
    },
    onRecord(listener) {
      recordListeners.add(listener);
      if (recordListeners.size === 1) followRecords();
      return () => {
        recordListeners.delete(listener);
        if (recordListeners.size === 0) followRecords();
      };
    },
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    status: () => status,
    async drain(deadlineMs) {
      if (status.state !== 'running') return;
      set({ state: 'draining' });
      await exchange(target, 'POST', '/fairlead/v1/drain', { deadlineMs }, deadlineMs + 5000).catch(() => undefined);
    },
    async stop() {
      release();
      if (status.pid === undefined) return;
      const pid = status.pid;
      await exchange(target, 'POST', '/fairlead/v1/stop', undefined, 5000).catch(() => undefined);
      for (const deadline = Date.now() + 5000; Date.now() < deadline && (await greet(target)); )
        await new Promise((r) => setTimeout(r, 20));
      set({ state: 'stopped', pid: undefined, lastExit: 'stopped' });
      log.debug('the embedded proxy ended', { pid });
    },
    async detach() {
      release();
    },
  };

  function release(): void {
    closing = true;
    if (restartTimer) clearTimeout(restartTimer);
    leash?.();
    records?.();
  }
}
