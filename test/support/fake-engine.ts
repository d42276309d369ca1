/** An engine that takes everything, refuses what it is told to, and remembers what was asked of it. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { ApplyResult, Engine, EngineStatus } from '../../agent/engine.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';

export interface FakeEngine extends Engine {
  /** `apply web.default`, `endpoints web.default`, `remove ID`, in order. */
  readonly calls: string[];
  /** What each proxy runs, by id: the version. */
  readonly runs: Map<string, string>;
  /** All secrets of each proxy, by id, as last told. */
  readonly secrets: Map<string, readonly SecretJson[]>;
  /** Decides what is refused; undefined takes it. Replaced at will. */
  refuse(proxyName: string, version: string): readonly Problem[] | undefined;
  /** Throws E_ENGINE_FAILED instead of taking anything. */
  away: boolean;
  /** Each apply waits for it. */
  gate: Promise<void>;
  /** Applies that are under way at most at the same time, so far. */
  readonly mostAtOnce: number;
  setLeftovers(ids: readonly string[]): void;
  record(record: RequestRecord): void;
  say(change: Partial<EngineStatus>): void;
  sayRefused(proxyId: string, problems: readonly Problem[]): void;
}

export function createFakeEngine(): FakeEngine {
  const names = new Map<string, string>();
  const records = new Set<(r: RequestRecord) => void>();
  const statuses = new Set<(s: EngineStatus) => void>();
  const refusals = new Set<(id: string, problems: readonly Problem[]) => void>();
  let leftovers: readonly string[] = [];
  let atOnce = 0;
  let most = 0;
  let status: EngineStatus = {
    engine: 'embedded',
    engineVersion: 'fake',
    state: 'running',
    pid: 1,
    since: 0,
    restarts: 0,
    lastExit: undefined,
    adopted: false,
    processes: [],
  };

  async function take(call: string, id: string, version: string): Promise<ApplyResult> {
    engine.calls.push(`${call} ${names.get(id)}`);
    most = Math.max(most, ++atOnce);
    try {
      await engine.gate;
      if (engine.away) throw new FairleadError('E_ENGINE_FAILED', 'the engine is away');
      const problems = engine.refuse(names.get(id) ?? '', version);
      if (problems) return { applied: false, version, problems };
      engine.runs.set(id, version);
      return { applied: true, version };
    } finally {
      atOnce--;
    }
  }

  function subscribe<T>(set: Set<T>, listener: T): () => void {
    set.add(listener);
    return () => set.delete(listener);
  }

  const engine: FakeEngine = {
    calls: [],
    runs: new Map(),
    secrets: new Map(),
    refuse: () => undefined,
    away: false,
    gate: Promise.resolve(),
    get mostAtOnce() {
      return most;
    },
    setLeftovers(ids) {
      leftovers = ids;
    },
    record(record) {
      for (const l of records) l(record);
    },
    say(change) {
      status = { ...status, ...change };
      for (const l of statuses) l(status);
    },
    sayRefused(id, problems) {
      for (const l of refusals) l(id, problems);
    },
    start: () => Promise.resolve(),
    apply(snapshot) {
      names.set(snapshot.proxy.id, `${snapshot.proxy.name}.${snapshot.proxy.namespace}`);
      return take('apply', snapshot.proxy.id, snapshot.version);
    },
    applyEndpoints: (id, version) => take('endpoints', id, version),
    async applySecrets(id, secrets) {
      if (engine.away) throw new FairleadError('E_ENGINE_FAILED', 'the engine is away');
      engine.secrets.set(id, secrets);
    },
    async remove(id) {
      engine.calls.push(`remove ${names.get(id) ?? id}`);
      engine.runs.delete(id);
      engine.secrets.delete(id);
    },
    leftovers: () => leftovers,
    async admin(id, method, path) {
      if (engine.away) throw new FairleadError('E_ENGINE_FAILED', 'the engine is away');
      return { status: 200, contentType: 'text/plain', body: Buffer.from(`${method} ${path} of ${names.get(id)}\n`) };
    },
    onRecord: (listener) => subscribe(records, listener),
    onStatus: (listener) => subscribe(statuses, listener),
    onRefused: (listener) => subscribe(refusals, listener),
    status: () => status,
    sync: () => undefined,
    refresh: () => Promise.resolve(),
    async drain(deadlineMs) {
      engine.calls.push(`drain ${deadlineMs}`);
    },
    async stop() {
      engine.calls.push('stop');
    },
    async detach() {
      engine.calls.push('detach');
    },
  };
  return engine;
}
