/** The real Envoy as an engine: one process a proxy, its config over xDS, its admin API passed through. */
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { parseDuration } from '../../src/config/duration.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { ProxyNode, ResolvedMeshConfig } from '../../src/mesh/types.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { Engine, EngineStatus } from '../engine.ts';
import type { Log } from '../log.ts';
import { socketPath } from '../socket-paths.ts';
import type { XdsServer } from '../xds/server.ts';
import type { EnvoyPlan } from './command-line.ts';
import { createDelivery } from './delivery.ts';
import { addressesOf, type Entry, refusal } from './entry.ts';
import { type EnvoyBinary, findEnvoyAgain } from './find.ts';
import { isPrometheus, withIstioLabels } from './istio-labels.ts';
import { startOrphanWatch } from './orphan-watch.ts';
import { addressText, bindProblems, boundAddresses, freed } from './ports.ts';
import { type EnvoyState, keyOf, readStates } from './state.ts';
import { combinedStatus } from './status.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import { typeSyncs } from './type-sync.ts';

export interface EnvoyEngineOptions {
  data: Pick<DataDirectory, 'path' | 'xdsSocket' | 'write' | 'remove'>;
  binary: EnvoyBinary;
  orphanSeconds: number | undefined;
  log: Log;
  /** Who a proxy is and what it starts with; undefined while it is not known. */
  describe(proxyId: string, at: { admin: string; xds: string }): EnvoyDescription | undefined;
}

export interface EnvoyDescription {
  proxy: ProxyNode;
  config: ResolvedMeshConfig;
  bootstrap: BootstrapJson;
}

/** How long a port that a proxy gave up may take to be free. */
const FREED_MS = 1000;
/** What a proxy that is no longer wanted gets for its requests in flight. */
const RETIRE_MS = 30_000;
/** Istio's, where nothing says how many threads a proxy is to have. */
const CONCURRENCY = 2;

export function createEnvoyEngine(options: EnvoyEngineOptions): Engine {
  const { data, log } = options;
  let binary = options.binary;
  const entries = new Map<string, Entry>();
  /** Proxies that are no longer wanted and still have requests in flight. */
  const retiring = new Map<string, Supervisor>();
  const leftovers = new Set<string>();
  /** Of each proxy; they may come before it. */
  const secrets = new Map<string, readonly SecretJson[]>();
  const records = new Set<(record: RequestRecord) => void>();
  const statuses = new Set<(status: EngineStatus) => void>();
  const refusals = new Set<(id: string, problems: readonly Problem[]) => void>();
  const since = Date.now();
  let xds: XdsServer | undefined;
  let endWatch: (() => void) | undefined;
  let state: 'starting' | 'running' | 'draining' | 'stopped' = 'starting';
  let told = '';
  let unfit: string | undefined;
  let stopping: Promise<void> | undefined;

  function status(): EngineStatus {
    return combinedStatus(
      [...entries.values()].map((e) => e.supervisor.status()),
      { state, since, version: binary.version },
    );
  }

  function publish(): void {
    const now = status();
    // A restart of one of them is news; a pid that changes on the way is not.
    const news = `${now.state} ${now.restarts} ${now.processes.map((p) => p.state).join()}`;
    if (news === told) return;
    told = news;
    for (const l of statuses) l(now);
  }

  function planOf(id: string, admin: string): EnvoyPlan {
    const found = options.describe(id, { admin, xds: data.xdsSocket });
    if (!found) throw new FairleadError('E_ENGINE_FAILED', 'the configuration is being read');
    const { concurrency, drainDuration } = found.config.defaultConfig ?? {};
    const drainMs = parseDuration(String(drainDuration ?? '')) ?? 45_000;
    return {
      binary,
      bootstrap: found.bootstrap,
      concurrency: concurrency ?? CONCURRENCY,
      drainSeconds: Math.max(1, Math.round(drainMs / 1000)),
    };
  }

  function create(id: string, name: string): Entry {
    const adminSocket = socketPath(data.path, `envoy-${keyOf(id, '').slice(1)}`);
    const entry: Entry = {
      id,
      applied: undefined,
      refused: undefined,
      refusal: undefined,
      supervisor: createSupervisor({
        data,
        proxyId: id,
        name,
        adminSocket,
        log,
        plan: () => planOf(id, adminSocket),
        prepare: () => prepare(entry),
        equip: () => equip(entry),
        onStatus: publish,
      }),
    };
    entries.set(id, entry);
    return entry;
  }

  const { prepare, equip, give, settleSecrets } = createDelivery({
    data,
    log,
    xds: () => xds,
    running,
    stopped: () => state === 'stopped',
    onStatus: (listener) => subscribe(statuses, listener),
    lost(id, problems) {
      for (const l of refusals) l(id, problems);
    },
  });

  function running(): XdsServer {
    if (xds && state !== 'stopped') return xds;
    throw new FairleadError('E_ENGINE_FAILED', `Envoy is not running (${state})`, { next: 'Start the agent again.' });
  }

  async function adopt(found: EnvoyState): Promise<void> {
    const entry = create(found.proxyId, found.name);
    if (await entry.supervisor.adopt(found)) leftovers.add(entry.id);
    else entries.delete(entry.id);
  }

  async function endAll(): Promise<void> {
    state = 'stopped';
    publish();
    await Promise.all([...[...entries.values()].map((e) => e.supervisor), ...retiring.values()].map((s) => s.stop()));
    endWatch?.();
    await xds?.close();
  }

  return {
    async start() {
      // Heavy: only where Envoy runs.
      const [{ startXdsServer }, { createAccessLogService }] = await Promise.all([
        import('../xds/server.ts'),
        import('../telemetry/access-log-service.ts'),
      ]);
      const service = createAccessLogService((record) => {
        for (const l of records) l(record);
      });
      // What is refused is told by whoever applied it, with file and line.
      xds = await startXdsServer({ socket: data.xdsSocket, log: { ...log, warning: log.debug }, services: [service] });
      if (state !== 'starting') {
        await xds.close();
        throw new FairleadError('E_ENGINE_FAILED', 'Envoy is no longer wanted');
      }
      await Promise.all(readStates(data.path).map(adopt));
      if (options.orphanSeconds !== undefined) endWatch = startOrphanWatch(data.path, options.orphanSeconds);
      if (state === 'starting') state = 'running';
      publish();
    },
    leftovers: () => [...leftovers],
    async apply(snapshot) {
      const { proxy, version, listeners } = snapshot;
      running();
      await retiring.get(proxy.id)?.stop();
      const known = secrets.get(proxy.id);
      // What retired with the same name may have taken them along.
      if (known && !entries.get(proxy.id)?.applied) running().setSecrets(proxy.id, known);
      const entry = entries.get(proxy.id) ?? create(proxy.id, `${proxy.name}.${proxy.namespace}`);
      leftovers.delete(proxy.id);
      const { refused, supervisor } = entry;
      const { pid } = supervisor.status();
      if (refused?.version === version && refused.pid === pid) return refusal(version, refused.problems);
      const bound = new Set(addressesOf(entry.applied).map(addressText));
      if (listeners.some((l) => boundAddresses(l).some((a) => !bound.has(addressText(a))))) {
        const held = pid === undefined ? undefined : await supervisor.admin.listening();
        const problems = await bindProblems(listeners, held ?? bound);
        if (problems.length > 0) return refusal(version, problems);
      }
      return give(entry, snapshot, (server) => server.set(snapshot));
    },
    async applyEndpoints(id, version, endpoints) {
      const entry = entries.get(id);
      if (!entry?.applied) throw new FairleadError('E_ENGINE_FAILED', 'endpoints came for a proxy that runs nothing');
      return give(entry, { ...entry.applied, version, endpoints }, (server) => server.setEndpoints(id, version, endpoints));
    },
    async applySecrets(id, list) {
      secrets.set(id, list);
      running().setSecrets(id, list);
      const entry = entries.get(id);
      if (entry?.applied) await settleSecrets(entry);
    },
    async remove(id) {
      const entry = entries.get(id);
      entries.delete(id);
      secrets.delete(id);
      leftovers.delete(id);
      if (!entry) return;
      const { supervisor } = entry;
      retiring.set(id, supervisor);
      const retired = supervisor
        .drain(RETIRE_MS)
        .then(() => supervisor.stop())
        .finally(() => {
          if (retiring.get(id) === supervisor) retiring.delete(id);
          if (!entries.has(id)) xds?.remove(id);
        });
      retired.catch((error: Error) => log.error('an Envoy that is no longer wanted could not be ended', { proxy: id, why: error.message }));
      // Its ports may be another's in the same change.
      await Promise.race([retired, freed(addressesOf(entry.applied), FREED_MS)]);
      publish();
    },
    async admin(id, method, path) {
      const entry = entries.get(id);
      if (!entry)
        throw new FairleadError('E_ENGINE_FAILED', 'this proxy has no Envoy yet', {
          next: 'Its configuration may be refused: see `fairlead proxy-status`.',
        });
      const answer = await entry.supervisor.send(method, path);
      return isPrometheus(path) ? withIstioLabels(answer) : answer;
    },
    onRecord: (listener) => subscribe(records, listener),
    onStatus: (listener) => subscribe(statuses, listener),
    onRefused: (listener) => subscribe(refusals, listener),
    status,
    sync(id) {
      const entry = entries.get(id);
      const clients = xds?.clients().filter((c) => c.node === id) ?? [];
      return entry && typeSyncs(clients, entry.refusal, entry.applied !== undefined && !entry.refusal, entry.applied);
    },
    async refresh() {
      if (state !== 'running') return;
      try {
        binary = await findEnvoyAgain(binary);
        unfit = undefined;
      } catch (error) {
        // Said once: it is asked every few seconds.
        if (unfit !== (error as Error).message)
          log.error('the Envoy that was started is no longer there as it was; it serves on', { why: (error as Error).message });
        unfit = (error as Error).message;
      }
      for (const { id, supervisor } of [...entries.values()]) {
        if (options.describe(id, { admin: '', xds: '' })) await supervisor.refresh();
      }
    },
    async drain(deadlineMs) {
      if (state !== 'running') return;
      state = 'draining';
      publish();
      await Promise.all([...entries.values()].map((e) => e.supervisor.drain(deadlineMs)));
    },
    stop: () => {
      stopping ??= endAll();
      return stopping;
    },
    async detach() {
      if (stopping) return stopping;
      state = 'stopped';
      for (const e of entries.values()) e.supervisor.detach();
      for (const s of retiring.values()) s.detach();
      stopping = xds?.close() ?? Promise.resolve();
      await stopping;
    },
  };
}

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => set.delete(listener);
}
