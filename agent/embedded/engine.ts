/** The embedded proxy as an engine: its process supervised, its config kept in step, its admin API passed through. */

import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { FairleadError, type Problem } from '../../src/errors.ts';
import { serviceCluster } from '../../src/mesh/canonical.ts';
import type { ProxyNode } from '../../src/mesh/types.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import type { ApplyResult, Engine } from '../engine.ts';
import { exchange, type HttpAnswer, type HttpTarget, httpTarget, streamLines } from '../http-client.ts';
import type { Log } from '../log.ts';
import { changesBetween } from '../proxy/config-changes.ts';
import type { Applied, AppliedConfig, ProxyConfig, ProxyEvent, Refused } from '../proxy/protocol.ts';
import { objectPieces } from '../snapshot-text.ts';
import { answerConfigDump, asEnvoyWrites } from './envoy-form.ts';
import { createSupervisor } from './supervisor.ts';

export interface EmbeddedEngineOptions {
  socket: string;
  logFile: string;
  version: string;
  orphanSeconds: number | undefined;
  log: Log;
  /** How often the process is asked whether it still answers, milliseconds; 2000 when undefined. */
  pulseMs?: number;
  /** Who a proxy is, for its config dump; undefined while it is not known. */
  describe(proxyId: string): { proxy: ProxyNode; bootstrap: BootstrapJson } | undefined;
}

const APPLY_TIMEOUT_MS = 60_000;
/** How long a change waits for a proxy that is being restarted. */
const WAIT_MS = 5000;
/** A process may end while it takes a config, for reasons of its own; more often than this it is the config. */
const ATTEMPTS = 3;
const FOLLOW_AGAIN_MS = 200;

const pathOf = (id: string): string => `/fairlead/v1/proxies/${encodeURIComponent(id)}`;

export function createEmbeddedEngine(options: EmbeddedEngineOptions): Engine {
  const { log } = options;
  const target = httpTarget(`unix:${options.socket}`) as HttpTarget;
  /** What each proxy runs: given again to each new process. */
  const wanted = new Map<string, ProxyConfig>();
  /** Of each proxy: given to each new process before its config. */
  const secrets = new Map<string, { list: readonly SecretJson[]; at: number }>();
  /** Proxies of an adopted process that nobody has asked for since. */
  const leftovers = new Set<string>();
  const refusals = new Set<(proxyId: string, problems: readonly Problem[]) => void>();
  const recordListeners = new Set<(r: RequestRecord) => void>();
  let records: (() => void) | undefined;
  const supervisor = createSupervisor({ ...options, target, equip });
  supervisor.onStatus(({ state }) => {
    if (state === 'running' && !records) followRecords();
  });

  /** A new process gets all that ran in the old one. A port may be taken by now: such a refusal is told, not thrown. */
  async function equip(): Promise<void> {
    leftovers.clear();
    for (const [id, { list }] of [...secrets])
      await sendSecrets(id, list).catch((error: Error) =>
        log.error('the embedded proxy has not all of its secrets', { proxy: id, why: error.message }),
      );
    for (const [id, config] of [...wanted]) {
      const refused = await send(pathOf(id), config).then(
        (result) => (result.applied ? undefined : result.problems),
        (error: Error) => [unavailable(error)],
      );
      // It stays wanted: the next process may be able to take it.
      if (refused) for (const l of refusals) l(id, refused);
    }
  }

  /** Only what differs from what runs, where the process knows that. */
  async function send(path: string, config: ProxyConfig, running?: ProxyConfig): Promise<ApplyResult> {
    if (running !== undefined) {
      const answer = await exchange(target, 'PATCH', path, changesBetween(running, config), APPLY_TIMEOUT_MS);
      if (answer.status !== 412) return read(answer);
    }
    return read(await exchange(target, 'PUT', path, () => objectPieces(config), APPLY_TIMEOUT_MS));
  }

  /** Throws E_ENGINE_FAILED with what it cannot use. */
  async function sendSecrets(id: string, list: readonly SecretJson[]): Promise<void> {
    const { status, body } = await exchange(target, 'PUT', `${pathOf(id)}/secrets`, list, APPLY_TIMEOUT_MS);
    if (status === 200) return;
    throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy refuses secrets: ${problemsIn(body.toString('utf8'))}`);
  }

  /** Runs a config in place of the one that runs; waits for a process that is being restarted. Throws E_ENGINE_FAILED. */
  async function run(id: string, config: ProxyConfig): Promise<ApplyResult> {
    const result = await sendWhenRunning(id, config);
    leftovers.delete(id);
    if (result.applied) wanted.set(id, config);
    return result;
  }

  async function sendWhenRunning(id: string, config: ProxyConfig): Promise<ApplyResult> {
    for (let attempt = 1; ; attempt++) {
      await supervisor.running(WAIT_MS);
      const { pid } = supervisor.status();
      try {
        return await send(pathOf(id), config, wanted.get(id));
      } catch (error) {
        if (error instanceof FairleadError) throw error;
        if (attempt === ATTEMPTS)
          throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy does not take the config: ${(error as Error).message}`, {
            next: `Its log is ${options.logFile}.`,
            cause: error,
          });
        await ended(pid);
      }
    }
  }

  /** The connection broke: usually its end is noticed a moment later. */
  async function ended(pid: number | undefined): Promise<void> {
    for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline && supervisor.status().pid === pid; )
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  function followRecords(): void {
    records?.();
    records = undefined;
    if (recordListeners.size === 0 || supervisor.status().state !== 'running') return;
    records = streamLines(target, '/fairlead/v1/events?records=true', {
      line: (event) => {
        const e = event as ProxyEvent;
        if ('record' in e) for (const l of recordListeners) l(e.record);
        else if ('dropped' in e) log.warning('request records were dropped: nobody read them fast enough', { dropped: e.dropped });
      },
      ended: () => {
        records = undefined;
        setTimeout(() => {
          if (!records) followRecords();
        }, FOLLOW_AGAIN_MS).unref();
      },
    });
  }

  return {
    async start() {
      const { proxies } = await supervisor.start();
      for (const { id } of proxies) leftovers.add(id);
    },
    leftovers: () => [...leftovers],
    async apply(snapshot) {
      const { id, name, namespace } = snapshot.proxy;
      const { version, listeners, routes, clusters, endpoints } = snapshot;
      return run(id, { version, name: `${name}.${namespace}`, node: nodeOf(snapshot.proxy), listeners, routes, clusters, endpoints });
    },
    async applyEndpoints(id, version, endpoints) {
      const config = wanted.get(id);
      if (config === undefined) throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy has no config of ${id} yet`);
      return run(id, { ...config, version, endpoints });
    },
    async applySecrets(id, list) {
      secrets.set(id, { list, at: Date.now() });
      await supervisor.running(WAIT_MS);
      try {
        await sendSecrets(id, list);
      } catch (error) {
        if (error instanceof FairleadError) throw error;
        throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy does not take secrets: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
    async remove(id) {
      wanted.delete(id);
      secrets.delete(id);
      leftovers.delete(id);
      // A process that is not there, or ends now, does not have it any more: the next one does not get it.
      if (supervisor.status().pid !== undefined) await exchange(target, 'DELETE', pathOf(id)).catch(() => undefined);
    },
    async admin(id, method, path) {
      await supervisor.running(0);
      if (path === '/config_dump' || path.startsWith('/config_dump?')) {
        const { status: code, body } = await exchange(target, 'GET', `${pathOf(id)}/config`);
        if (code !== 200) return { status: code, contentType: 'application/json', body };
        const of = options.describe(id);
        if (!of) return { status: 503, contentType: 'text/plain', body: Buffer.from('the configuration is being read\n') };
        return answerConfigDump(JSON.parse(body.toString('utf8')) as AppliedConfig, of, path, {
          secrets: secrets.get(id)?.list ?? [],
          at: secrets.get(id)?.at ?? Date.now(),
        });
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
    onStatus: (listener) => supervisor.onStatus(listener),
    onRefused(listener) {
      refusals.add(listener);
      return () => refusals.delete(listener);
    },
    status: () => supervisor.status(),
    sync: () => undefined,
    // All that its process takes comes over its control socket.
    refresh: () => Promise.resolve(),
    async drain(deadlineMs) {
      if (supervisor.status().state !== 'running') return;
      supervisor.draining();
      await exchange(target, 'POST', '/fairlead/v1/drain', { deadlineMs }, deadlineMs + 5000).catch(() => undefined);
    },
    async stop() {
      await supervisor.stop();
      records?.();
    },
    async detach() {
      await supervisor.detach();
      records?.();
    },
  };
}

/** Envoy's node, as the bootstrap of the real one has it. */
function nodeOf({ id, labels, namespace, locality, workload }: ProxyNode): NonNullable<ProxyConfig['node']> {
  const workloadName = workload.workloadName || workload.name;
  return { id, cluster: serviceCluster(undefined, { labels, namespace, workloadName }), zone: locality.zone };
}

function read(answer: HttpAnswer): ApplyResult {
  const text = answer.body.toString('utf8');
  if (answer.status === 200 || answer.status === 409) return JSON.parse(text) as Applied | Refused;
  throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy answered ${answer.status}: ${text.slice(0, 500)}`);
}

/** What a refusal says; it never quotes what was sent. */
function problemsIn(text: string): string {
  try {
    const { problems, error } = JSON.parse(text) as { problems?: Problem[]; error?: string };
    return problems?.map(({ message }) => message).join('; ') ?? String(error);
  } catch {
    return 'its answer cannot be read';
  }
}

function unavailable(error: Error): Problem {
  return { severity: 'error', rule: 'engine/unavailable', message: error.message };
}
