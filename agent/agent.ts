/** The per-node agent: wiring and life cycle. */

import type { ApiClient } from '../src/kubernetes/client.ts';
import { resolveMeshConfig } from '../src/mesh/mesh-config.ts';
import { type ApiServer, startApi } from './api/server.ts';
import { type ChosenEngine, chooseEngine, type EngineChoice } from './choose-engine.ts';
import type { ClusterStatus, StatusChoice } from './cluster-status/start.ts';
import { type Controller, type ControllerEvent, createController } from './controller.ts';
import { createEngine, endOtherEngine } from './create-engine.ts';
import { openDataDirectory } from './data-directory.ts';
import type { Engine } from './engine.ts';
import { createEventHub, type EventHub } from './events.ts';
import type { Identity } from './identity/identity.ts';
import type { CaChoice } from './identity/open-issuer.ts';
import { keepLastGood } from './last-good.ts';
import type { Log } from './log.ts';
import type { NodeEngine } from './node/engine.ts';
import { nodeAddresses, type PodChoice } from './node-addresses.ts';
import type { PodController } from './pod/controller.ts';
import { type Watched, watchPaths } from './source/folder.ts';
import type { LiveSource } from './source/kubernetes.ts';
import { type AgentStatus, statusOf } from './status.ts';

export interface AgentOptions {
  /** Files and folders of configuration. */
  paths: readonly string[];
  /** Read and watched besides; closed when the agent ends. */
  live?: LiveSource | undefined;
  /** Which pods of a cluster are served; `node` unless it is said. */
  pods?: PodChoice;
  /** The pods of this node run their own proxies and take what these are to have from here. */
  podSocket?: PodSocket | undefined;
  /** What the proxy of this pod is to have comes from its node's agent; nothing else is read. */
  nodeAgent?: NodeAgent | undefined;
  /** Which cluster's objects get a status from here; undefined: none. */
  writeStatus?: StatusChoice | undefined;
  /** For resources that name none. */
  namespace: string;
  meshConfig?: string;
  dataDirectory: string;
  /** Loopback port of the API; 0 takes a free one, undefined serves the Unix socket alone. */
  apiPort: number | undefined;
  /** Where Prometheus and health checks are answered besides; see ApiOptions. */
  metrics?: { host: string; port: number; required: boolean } | undefined;
  allowUnenforced: boolean;
  /** Where the workloads' certificates come from; undefined: a CA of the agent's own, in its data directory. */
  ca?: CaChoice | undefined;
  /** How long certificates are asked to live, milliseconds; undefined: what the CA gives. */
  certificateLifeMs?: number | undefined;
  /** Whether a refused configuration at the start means the last good one of an earlier agent; else nothing runs. */
  restoreLastGood?: boolean;
  /** undefined: the embedded proxy. */
  engine?: EngineChoice;
  /** The data plane ends by itself when no agent was attached for so long; undefined: it stays. */
  orphanSeconds: number | undefined;
  version: string;
  log: Log;
  /** Ends a start that is under way: everything is stopped, and `startAgent` rejects with the signal's reason. */
  abort?: AbortSignal;
}

export interface PodSocket {
  path: string;
  /** What the pods' tokens must be meant for. */
  audience: string;
  /** Checks them. */
  cluster: ApiClient;
}

export interface NodeAgent {
  /** Path of its Unix socket. */
  socket: string;
  tokenFile: string;
}

export interface Agent {
  readonly engine: Engine;
  /** Why this engine, and what somebody who expected another one should read. */
  readonly chosen: { why: string; warning?: string };
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

/** How often proxies whose config was refused are tried again (a port may be free by then), and the engine's program is looked at. */
const RETRY_MS = 3000;

/**
 * Starts everything; the configuration has been applied, or refused and reported, when it resolves. Throws E_DATA_DIRECTORY,
 * E_AGENT_RUNNING, E_PORT_IN_USE, E_PORT_FORBIDDEN, E_ENGINE_FAILED, E_ENVOY_NOT_FOUND, E_ENVOY_UNUSABLE; nothing is left running then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { log, abort, version } = options;
  abort?.throwIfAborted();
  const served = options.podSocket;
  const own = served ? undefined : await chooseEngine(options.engine ?? 'embedded');
  const chosen: Agent['chosen'] = own ?? { why: 'the proxies run in the pods of this node' };
  abort?.throwIfAborted();
  if (chosen.warning) log.warning(chosen.warning);
  const data = openDataDirectory(options.dataDirectory);
  const events = createEventHub();
  const remote = served && (await openNodeEngine(served));
  const engine: Engine =
    remote ??
    createEngine(own as ChosenEngine, {
      data,
      version,
      orphanSeconds: options.orphanSeconds,
      log,
      describe(id) {
        const proxy = controller.proxies().find((p) => p.node.id === id)?.node;
        return proxy && { proxy, config: controller.mesh()?.config ?? resolveMeshConfig({}) };
      },
      api: () => api && (api.url ? { address: '127.0.0.1', port: Number(new URL(api.url).port) } : { path: api.socket }),
    });
  const notify = (event: ControllerEvent): void => {
    events.publish({ type: 'config', event });
    // What is accepted while it ends has been saved, or is not worth it.
    if (event.type === 'accepted' && !ending) lastGood?.changed();
    clusterStatus?.changed(event.type === 'accepted');
    if (event.type === 'accepted') void engine.refresh();
  };
  const pod = options.nodeAgent && (await openPod(options.nodeAgent));
  const identity = pod ? pod.identity : await openIdentity(options, data.path, engine);
  const controller: Controller =
    pod ??
    createController({
      paths: options.paths,
      besides: options.live?.source,
      namespace: options.namespace,
      meshConfig: options.meshConfig,
      addresses: nodeAddresses(),
      pods: options.pods,
      choose: remote && ((mesh) => remote.choose(mesh)),
      allowUnenforced: options.allowUnenforced,
      engine,
      provideSecrets: (mesh, snapshots) => identity.provide(mesh, snapshots),
      notify,
    });
  const lastGood = pod ? undefined : keepLastGood(data, controller, version, log);
  const status = (): AgentStatus => statusOf({ controller, engine, identity, version, chosen: chosen.why });
  const ended = Promise.withResolvers<void>();
  let api: ApiServer | undefined;
  let watched: Watched | undefined;
  let retry: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;
  let clusterStatus: ClusterStatus | undefined;

  async function openNodeEngine({ path, audience, cluster }: PodSocket): Promise<NodeEngine> {
    const { createNodeEngine } = await import('./node/open.ts');
    return createNodeEngine({
      socket: path,
      audience,
      cluster,
      nodeName: nodeAddresses().nodeName,
      version,
      log,
      asked: () => void controller.sync(),
      mesh: () => controller.mesh(),
    });
  }

  async function openPod({ socket, tokenFile }: NodeAgent): Promise<PodController> {
    const { createPodController } = await import('./pod/controller.ts');
    return createPodController({ socket, tokenFile, data, engine, version, log, notify });
  }

  function end(work: () => Promise<void>): Promise<void> {
    ending ??= (async () => {
      watched?.close();
      options.live?.close();
      clearInterval(retry);
      identity.close();
      pod?.close();
      lastGood?.flush();
      const told = clusterStatus?.close();
      try {
        await work();
        await told;
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
    api = await startApi({
      socket: data.agentSocket,
      port: options.apiPort,
      metrics: options.metrics,
      log,
      engine,
      controller,
      events,
      status,
      stop,
      unserved: () => (options.pods === 'own' && controller.proxies().length === 0 ? 'its own pod is not known yet' : undefined),
    });
    // Whoever ends it while one of these is made does not know of it yet: it is let go below.
    abort?.throwIfAborted();
    watched = await watchPaths([...options.paths, ...(options.meshConfig ? [options.meshConfig] : [])], () => void controller.sync());
    if (ending) watched.close();
    abort?.throwIfAborted();
    const note = (text: string, level: 'info' | 'warning' = 'warning'): void => log[level](text);
    await options.live?.start(() => void controller.sync(), note);
    if (ending) options.live?.close();
    abort?.throwIfAborted();
    if (own) await endOtherEngine(own, { data, log });
    abort?.throwIfAborted();
    await engine.start();
    engine.onStatus((s) => {
      events.publish({ type: 'engine', status: s });
      if (s.state !== 'running') return;
      void identity.retry();
      void controller.retry();
    });
    await (pod ? pod.start() : controller.sync());
    if (controller.config().state === 'refused' && options.restoreLastGood) await lastGood?.restore();
    abort?.throwIfAborted();
    if (options.writeStatus) {
      const { startClusterStatus } = await import('./cluster-status/start.ts');
      if (!ending) clusterStatus = startClusterStatus({ ...options.writeStatus, controller, version, log });
    }
    abort?.throwIfAborted();
  } catch (error) {
    await stop(0).catch(() => undefined);
    watched?.close();
    options.live?.close();
    await api?.unlisten();
    api?.disconnect();
    abort?.throwIfAborted();
    throw error;
  } finally {
    abort?.removeEventListener('abort', aborted);
  }
  if (!ending) {
    retry = setInterval(() => {
      void identity.retry();
      void controller.retry();
      void engine.refresh();
    }, RETRY_MS);
  }
  return { engine, chosen, controller, events, api, status, ended: ended.promise, stop, detach: () => end(() => engine.detach()) };
}

/** Heavy (ASN.1): only where an agent runs. */
async function openIdentity({ ca, certificateLifeMs, log, podSocket }: AgentOptions, directory: string, engine: Engine): Promise<Identity> {
  const [{ createIdentity }, { caName, openIssuer }] = await Promise.all([
    import('./identity/identity.ts'),
    import('./identity/open-issuer.ts'),
  ]);
  const choice: CaChoice = ca ?? { directory: undefined, passphrase: undefined };
  return createIdentity({
    dataDirectory: directory,
    engine,
    openIssuer: (trustDomain) => openIssuer(choice, directory, trustDomain, log),
    caName: caName(choice, directory),
    lifeMs: certificateLifeMs,
    files: podSocket === undefined,
    log,
  });
}

export type { ControllerEvent };
