/**
 * Keeps the engine in step with the configuration: load, model, Envoy config, apply. A configuration with errors is
 * refused as a whole and the last good one runs on; a proxy whose own config is refused keeps its last good one.
 */
import { loadConfig } from '../src/config/load.ts';
import { buildSnapshot } from '../src/envoy/build.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import { FairleadError, type Problem } from '../src/errors.ts';
import { buildMesh } from '../src/mesh/mesh.ts';
import { proxiesOf } from '../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../src/mesh/types.ts';
import type { Engine } from './engine.ts';
import type { NodeAddresses } from './node-addresses.ts';

export interface ProxySync {
  node: ProxyNode;
  /** Running now. */
  applied: { version: string; at: number } | undefined;
  /** The newest that was refused, when it is newer than the applied one. */
  refused: { version: string; at: number; problems: readonly Problem[] } | undefined;
  snapshot: Snapshot | undefined;
}

export interface ConfigState {
  state: 'loading' | 'accepted' | 'refused';
  /** Milliseconds since 1970, of the last attempt. */
  at: number;
  files: number;
  resources: number;
  problems: readonly Problem[];
  /** How long load, model, generation and apply took together, in milliseconds. */
  took: number;
}

export type ControllerEvent =
  | { type: 'accepted'; config: ConfigState; changed: readonly ProxySync[]; removed: readonly string[] }
  | { type: 'refused'; config: ConfigState }
  | { type: 'proxy-refused'; proxy: ProxySync };

export interface ControllerOptions {
  paths: readonly string[];
  namespace: string;
  meshConfig: string | undefined;
  addresses: NodeAddresses;
  /** Run although policies that this version cannot enforce are then not enforced. */
  allowUnenforced: boolean;
  engine: Engine;
  notify(event: ControllerEvent): void;
}

export interface Controller {
  /** Loads and applies. Calls while one is running are folded into one more run after it. Never rejects for bad configuration. */
  sync(): Promise<void>;
  /** Applies snapshots that an earlier agent saved, when the configuration cannot be read. */
  restore(snapshots: readonly Snapshot[]): Promise<void>;
  config(): ConfigState;
  proxies(): readonly ProxySync[];
  mesh(): Mesh | undefined;
}

export function createController(options: ControllerOptions): Controller {
  const { engine, notify } = options;
  const proxies = new Map<string, ProxySync>();
  let config: ConfigState = { state: 'loading', at: Date.now(), files: 0, resources: 0, problems: [], took: 0 };
  let mesh: Mesh | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  async function once(): Promise<void> {
    const started = performance.now();
    const loaded = await loadConfig(options.paths, {
      namespace: options.namespace,
      ...(options.meshConfig ? { meshConfig: options.meshConfig } : {}),
    }).catch(asProblems);
    let problems: Problem[] = [...loaded.problems];
    const finish = (state: ConfigState['state']): ConfigState => {
      config = {
        state,
        at: Date.now(),
        files: loaded.files.length,
        resources: loaded.resources.length,
        problems,
        took: performance.now() - started,
      };
      return config;
    };
    if (blocking(problems)) return notify({ type: 'refused', config: finish('refused') });

    const next = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, previous: mesh });
    problems.push(...next.problems);
    const nodes = proxiesOf(next, { addresses: options.addresses.list, nodeName: options.addresses.nodeName, pods: 'node' });
    const snapshots = nodes.map((node) => buildSnapshot(next, node, proxies.get(node.id)?.snapshot));
    problems = unique([...problems, ...snapshots.flatMap((s) => s.problems)]);
    if (blocking(problems)) return notify({ type: 'refused', config: finish('refused') });

    mesh = next;
    const changed: ProxySync[] = [];
    for (const snapshot of snapshots) if (await apply(snapshot)) changed.push(proxies.get(snapshot.proxy.id) as ProxySync);
    const removed = await removeAllBut(new Set(nodes.map((n) => n.id)));
    notify({ type: 'accepted', config: finish('accepted'), changed, removed });
  }

  /** True when the engine runs something new now. */
  async function apply(snapshot: Snapshot): Promise<boolean> {
    const { id } = snapshot.proxy;
    const sync: ProxySync = proxies.get(id) ?? { node: snapshot.proxy, applied: undefined, refused: undefined, snapshot: undefined };
    proxies.set(id, sync);
    if (sync.applied?.version === snapshot.version) {
      sync.refused = undefined;
      return false;
    }
    const result = onlyEndpointsDiffer(sync.snapshot, snapshot)
      ? await engine.applyEndpoints(id, snapshot.version, snapshot.endpoints)
      : await engine.apply(snapshot);
    const at = Date.now();
    if (result.applied) {
      Object.assign(sync, { node: snapshot.proxy, snapshot, applied: { version: snapshot.version, at }, refused: undefined });
      return true;
    }
    sync.refused = { version: snapshot.version, at, problems: result.problems };
    notify({ type: 'proxy-refused', proxy: sync });
    return false;
  }

  async function removeAllBut(keep: ReadonlySet<string>): Promise<string[]> {
    const gone = [...proxies.keys()].filter((id) => !keep.has(id));
    for (const id of gone) {
      await engine.remove(id);
      proxies.delete(id);
    }
    return gone;
  }

  function blocking(problems: readonly Problem[]): boolean {
    return problems.some((p) => p.severity === 'error' && !(options.allowUnenforced && p.rule.startsWith('unsupported/')));
  }

  async function loop(): Promise<void> {
    do {
      again = false;
      await once();
    } while (again);
  }

  return {
    sync() {
      if (running) again = true;
      running ??= loop().finally(() => {
        running = undefined;
      });
      return running;
    },
    async restore(snapshots) {
      for (const snapshot of snapshots) await apply(snapshot);
    },
    config: () => config,
    proxies: () => [...proxies.values()],
    mesh: () => mesh,
  };
}

/** An endpoint change reaches the engine as endpoints alone. */
function onlyEndpointsDiffer(a: Snapshot | undefined, b: Snapshot): boolean {
  return a !== undefined && a.listeners === b.listeners && a.routes === b.routes && a.clusters === b.clusters;
}

/** The same field is met once for every proxy that reads it; people want to read it once. */
function unique(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>();
  for (const p of problems)
    seen.set(`${p.rule}|${p.origin}|${p.path}|${p.message}|${p.position?.file}:${p.position?.line}:${p.position?.column}`, p);
  return [...seen.values()];
}

/** A path that cannot be read is a problem like any other while the agent runs: the last good config stays. */
function asProblems(error: unknown): { resources: []; files: []; meshConfig: undefined; problems: readonly Problem[] } {
  if (!(error instanceof FairleadError)) throw error;
  const problems =
    error.problems.length > 0
      ? error.problems
      : [{ severity: 'error' as const, rule: 'config/unreadable', message: error.message, ...(error.next ? { hint: error.next } : {}) }];
  return { resources: [], files: [], meshConfig: undefined, problems };
}
