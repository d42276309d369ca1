/** The per-node agent: wiring and life cycle. */
import { bootstrap } from '../src/envoy/dump/bootstrap.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import { resolveMeshConfig } from '../src/mesh/mesh-config.ts';
import { type ApiServer, startApi } from './api/server.ts';
import { type Controller, type ControllerEvent, createController } from './controller.ts';
import { openDataDirectory } from './data-directory.ts';
import { createEmbeddedEngine } from './embedded/engine.ts';
import type { Engine } from './engine.ts';
import { createEventHub, type EventHub } from './events.ts';
import type { Log } from './log.ts';
import { nodeAddresses } from './node-addresses.ts';
import { watchPaths } from './source/folder.ts';
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
  /** The embedded proxy ends by itself when no agent was attached for so long; undefined: it stays. */
  orphanSeconds: number | undefined;
  version: string;
  log: Log;
}

export interface Agent {
  readonly engine: Engine;
  readonly controller: Controller;
  readonly events: EventHub;
  readonly api: ApiServer;
  status(): AgentStatus;
  /** Resolves when it has ended, by whatever way. */
  readonly ended: Promise<void>;
  /** Drains the data plane (in-flight requests finish, at most `deadlineMs`), then ends everything. Idempotent. */
  stop(deadlineMs: number): Promise<void>;
  /** Ends the agent and leaves the data plane running, for the next agent to take over. */
  detach(): Promise<void>;
}

const SNAPSHOTS = 'last-good.json';
const SAVE_AFTER_MS = 1000;

/** Starts everything; the configuration has been applied, or refused and reported, when it resolves. Throws E_DATA_DIRECTORY, E_AGENT_RUNNING, E_PORT_IN_USE, E_ENGINE_FAILED. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { log } = options;
  const data = openDataDirectory(options.dataDirectory);
  const events = createEventHub();
  const engine = createEmbeddedEngine({
    socket: data.proxySocket,
    logFile: data.proxyLog,
    version: options.version,
    orphanSeconds: options.orphanSeconds,
    log,
    describe(id) {
      const proxy = controller.proxies().find((p) => p.node.id === id)?.node;
      const config = controller.mesh()?.config ?? resolveMeshConfig({});
      const admin = api.url ? { address: '127.0.0.1', port: Number(new URL(api.url).port) } : { path: api.socket };
      return proxy && { proxy, bootstrap: bootstrap(proxy, { config, version: options.version, admin, xdsPath: './XDS' }) };
    },
  });
  let saveTimer: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;
  const ended = Promise.withResolvers<void>();

  const controller = createController({
    paths: options.paths,
    namespace: options.namespace,
    meshConfig: options.meshConfig,
    addresses: nodeAddresses(),
    allowUnenforced: options.allowUnenforced,
    engine,
    notify(event) {
      events.publish({ type: 'config', event });
      if (event.type === 'accepted') saveTimer ??= setTimeout(save, SAVE_AFTER_MS);
    },
  });
  const status = (): AgentStatus => statusOf(controller, engine, options.version);

  /** The last good config outlives the agent, so that a broken folder at its next start does not mean no mesh. */
  function save(): void {
    saveTimer = undefined;
    try {
      data.write(SNAPSHOTS, JSON.stringify(controller.proxies().flatMap((p) => p.snapshot ?? [])));
    } catch (error) {
      log.error('the last good config could not be saved', { why: (error as Error).message });
    }
  }

  async function end(work: () => Promise<void>): Promise<void> {
    ending ??= (async () => {
      watched.close();
      if (saveTimer) {
        clearTimeout(saveTimer);
        save();
      }
      await work();
      await api.close();
      events.close();
      data.release();
      ended.resolve();
    })();
    return ending;
  }

  let api: ApiServer;
  try {
    api = await startApi({
      socket: data.agentSocket,
      port: options.apiPort,
      engine,
      controller,
      events,
      status,
      stop: (ms) => agent.stop(ms),
    });
  } catch (error) {
    data.release();
    throw error;
  }
  const watched = watchPaths(options.paths, () => void controller.sync());
  const agent: Agent = {
    engine,
    controller,
    events,
    api,
    status,
    ended: ended.promise,
    stop: (deadlineMs) =>
      end(async () => {
        await engine.drain(deadlineMs);
        await engine.stop();
      }),
    detach: () => end(() => engine.detach()),
  };
  try {
    engine.onStatus((s) => events.publish({ type: 'engine', status: s }));
    await engine.start();
    await controller.sync();
    if (controller.config().state === 'refused') await restore(controller, data.read(SNAPSHOTS), log);
  } catch (error) {
    await end(() => engine.stop());
    throw error;
  }
  return agent;
}

async function restore(controller: Controller, saved: string | undefined, log: Log): Promise<void> {
  if (saved === undefined || controller.proxies().length > 0) return;
  try {
    await controller.restore(JSON.parse(saved) as Snapshot[]);
    log.warning('the configuration is refused; the last good one runs on');
  } catch (error) {
    log.error('the last good config could not be restored', { why: (error as Error).message });
  }
}

export type { ControllerEvent };
