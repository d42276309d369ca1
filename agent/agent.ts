/** The per-node agent: wiring and life cycle. */
import { bootstrap } from '../src/envoy/dump/bootstrap.ts';
import { resolveMeshConfig } from '../src/mesh/mesh-config.ts';
import { type ApiServer, startApi } from './api/server.ts';
import { type Controller, type ControllerEvent, createController } from './controller.ts';
import { openDataDirectory } from './data-directory.ts';
import { createEmbeddedEngine } from './embedded/engine.ts';
import type { Engine } from './engine.ts';
import { createEventHub, type EventHub } from './events.ts';
import { keepLastGood } from './last-good.ts';
import type { Log } from './log.ts';
import { nodeAddresses } from './node-addresses.ts';
import { type Watched, watchPaths } from './source/folder.ts';
import { type AgentStatus, statusOf } from './status.ts';

export interface AgentOptions {
  /** Files and folders of configuration. */
  paths: readonly string[];
  /** For resources that name none. */
  namespace: string;
  meshConfig?: string;
  dataDirectory: string;
  /** Loopback port of the API; 0 takes a free one, undefined serves the Unix socket alone. */
  apiPort: number | undefined;
  allowUnenforced: boolean;
  /** Whether a refused configuration at the start means the last good one of an earlier agent; else nothing runs. */
  restoreLastGood?: boolean;
  /** The embedded proxy ends by itself when no agent was attached for so long; undefined: it stays. */
  orphanSeconds: number | undefined;
  version: string;
  log: Log;
  /** Ends a start that is under way: everything is stopped, and `startAgent` rejects with the signal's reason. */
  abort?: AbortSignal;
}

export interface Agent {
  readonly engine: Engine;
  readonly controller: Controller;
  readonly events: EventHub;
  readonly api: ApiServer;
  status(): AgentStatus;
  /** Resolves when it has ended, by whatever way. */
  readonly ended: Promise<void>;
  /**
   * Drains the data plane (in-flight requests finish, at most `deadlineMs`), then ends everything. Idempotent; a second call with 0 cuts
   * a drain short.
   */
  stop(deadlineMs: number): Promise<void>;
  /** Ends the agent and leaves the data plane running, for the next agent to take over. */
  detach(): Promise<void>;
}

/** How often proxies whose config was refused are tried again: a port may be free by then. */
const RETRY_MS = 3000;

/**
 * Starts everything; the configuration has been applied, or refused and reported, when it resolves. Throws E_DATA_DIRECTORY,
 * E_AGENT_RUNNING, E_PORT_IN_USE, E_PORT_FORBIDDEN, E_ENGINE_FAILED; nothing is left running then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { log, abort, version } = options;
  abort?.throwIfAborted();
  const data = openDataDirectory(options.dataDirectory);
  const events = createEventHub();
  const engine = createEmbeddedEngine({
    socket: data.proxySocket,
    logFile: data.proxyLog,
    version,
    orphanSeconds: options.orphanSeconds,
    log,
    describe(id) {
      const proxy = controller.proxies().find((p) => p.node.id === id)?.node;
      if (!proxy || !api) return undefined;
      const config = controller.mesh()?.config ?? resolveMeshConfig({});
      const admin = api.url ? { address: '127.0.0.1', port: Number(new URL(api.url).port) } : { path: api.socket };
      return { proxy, bootstrap: bootstrap(proxy, { config, version, admin, xdsPath: './XDS' }) };
    },
  });
  const controller = createController({
    paths: options.paths,
    namespace: options.namespace,
    meshConfig: options.meshConfig,
    addresses: nodeAddresses(),
    allowUnenforced: options.allowUnenforced,
    engine,
    notify(event) {
      events.publish({ type: 'config', event });
      if (event.type === 'accepted') lastGood.changed();
    },
  });
  const lastGood = keepLastGood(data, controller, version, log);
  const status = (): AgentStatus => statusOf(controller, engine, version);
  const ended = Promise.withResolvers<void>();
  let api: ApiServer | undefined;
  let watched: Watched | undefined;
  let retry: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;

  function end(work: () => Promise<void>): Promise<void> {
    ending ??= (async () => {
      watched?.close();
      clearInterval(retry);
      lastGood.flush();
      try {
        await work();
      } finally {
        // In this order: whoever waits for the end of the event stream finds the directory free.
        await api?.unlisten();
        data.release();
        events.close();
        api?.disconnect();
        ended.resolve();
      }
    })();
    return ending;
  }

  async function stop(deadlineMs: number): Promise<void> {
    if (ending && deadlineMs === 0) await engine.stop();
    return end(async () => {
      if (deadlineMs > 0) await engine.drain(deadlineMs);
      await engine.stop();
    });
  }

  const aborted = (): void => void stop(0).catch(() => undefined);
  abort?.addEventListener('abort', aborted);
  try {
    api = await startApi({ socket: data.agentSocket, port: options.apiPort, engine, controller, events, status, stop });
    watched = await watchPaths([...options.paths, ...(options.meshConfig ? [options.meshConfig] : [])], () => void controller.sync());
    if (ending) watched.close();
    await engine.start();
    engine.onStatus((s) => {
      events.publish({ type: 'engine', status: s });
      if (s.state === 'running') void controller.retry();
    });
    await controller.sync();
    if (controller.config().state === 'refused' && options.restoreLastGood) await lastGood.restore();
    abort?.throwIfAborted();
  } catch (error) {
    await stop(0).catch(() => undefined);
    abort?.throwIfAborted();
    throw error;
  } finally {
    abort?.removeEventListener('abort', aborted);
  }
  if (!ending) retry = setInterval(() => void controller.retry(), RETRY_MS);
  return { engine, controller, events, api, status, ended: ended.promise, stop, detach: () => end(() => engine.detach()) };
}

export type { ControllerEvent };
