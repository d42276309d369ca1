/**
 * Keeps the engine in step with the configuration: load, model, Envoy config, apply. A configuration with errors is
 * refused as a whole and the last good one runs on; a proxy whose own config is refused keeps its last good one.
 */
import { createLoader, type LoadResult } from '../src/config/load.ts';
import type { ConfigSource } from '../src/config/sources/config-source.ts';
import { sizeOfObjects, withSteadyHeap } from '../src/config/steady-heap.ts';
import { buildSnapshot } from '../src/envoy/build.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import { FairleadError, type Problem } from '../src/errors.ts';
import { buildMesh } from '../src/mesh/mesh.ts';
import { proxiesOf } from '../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../src/mesh/types.ts';
import { isBlocking, uniqueProblems } from './config-problems.ts';
import type { Engine } from './engine.ts';
import { locateRefusal } from './locate-refusal.ts';
import type { NodeAddresses, PodChoice } from './node-addresses.ts';

export interface ProxySync {
  node: ProxyNode;
  /** Running now. */
  applied: { version: string; at: number } | undefined;
  /** On its way, with an engine whose proxies run elsewhere. */
  sent?: string;
  /** The newest that was refused, when it is newer than the applied one. Tried again at each sync. */
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
  | { type: 'proxy-refused'; proxy: ProxySync }
  /** A proxy that runs elsewhere runs what it was sent. */
  | { type: 'proxy-taken'; proxy: ProxySync };

export interface ControllerOptions {
  paths: readonly string[];
  /** Read besides, as a cluster is. */
  besides?: ConfigSource | undefined;
  namespace: string;
  meshConfig: string | undefined;
  addresses: NodeAddresses;
  /** `node`: those of this node; `own`: the one that the agent itself runs in. */
  pods?: PodChoice | undefined;
  /** Which proxies are served, in place of those that are found by address and node. */
  choose?: ((mesh: Mesh) => ProxyNode[]) | undefined;
  /** Run although policies that this version cannot enforce are then not enforced. */
  allowUnenforced: boolean;
  engine: Engine;
  /** Makes ready what the proxies name in their config, before they get it. Never rejects. */
  provideSecrets?(mesh: Mesh | undefined, snapshots: readonly Snapshot[]): Promise<void>;
  notify(event: ControllerEvent): void;
}

/** Where the configuration comes from, for those who read it too. */
export interface ConfigOrigin {
  /** Files and folders as they were named, relative to `directory`. */
  paths: readonly string[];
  /** What is read besides: `the cluster prod`. */
  cluster: string | undefined;
  meshConfig: string | undefined;
  /** Where the agent was started. */
  directory: string;
  /** For resources that name none. */
  namespace: string;
}

export interface Controller {
  /** `mesh()` has what is about the own proxy alone. */
  readonly partial?: boolean;
  readonly origin: ConfigOrigin;
  /** Loads and applies. Calls while one is running are folded into one more run after it. Never rejects: what goes wrong is in `config()`. */
  sync(): Promise<void>;
  /** Applies what was refused once more, as when a port may be free again or the engine is back. Cheap and silent without news. */
  retry(): Promise<void>;
  /** Applies snapshots that an earlier agent saved, when the configuration cannot be read. */
  restore(snapshots: readonly Snapshot[]): Promise<void>;
  config(): ConfigState;
  proxies(): readonly ProxySync[];
  mesh(): Mesh | undefined;
}

export function createController(options: ControllerOptions): Controller {
  const { engine, notify } = options;
  const proxies = new Map<string, ProxySync>();
  /** What is to run and does not yet: refused ones, and all that an absent engine could not be told. */
  const pending = new Map<string, Snapshot>();
  let config: ConfigState = { state: 'loading', at: Date.now(), files: 0, resources: 0, problems: [], took: 0 };
  let mesh: Mesh | undefined;
  let running: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let again = false;

  // What a new data plane did not take is not running any more.
  engine.onRefused((id, problems) => {
    const sync = proxies.get(id);
    if (!sync?.snapshot) return;
    if (engine.onTaken === undefined) sync.applied = undefined;
    // A newer one may be waiting already.
    if (!pending.has(id)) pending.set(id, sync.snapshot);
    refuse(sync, sync.snapshot, problems);
  });

  engine.onTaken?.((id, version) => {
    const sync = proxies.get(id);
    if (!sync || sync.sent !== version) return;
    if (sync.applied?.version === version && !sync.refused) return;
    Object.assign(sync, { applied: { version, at: Date.now() }, refused: undefined });
    pending.delete(id);
    notify({ type: 'proxy-taken', proxy: sync });
  });

  async function once(): Promise<void> {
    const started = performance.now();
    const loaded = await load().catch(asProblems);
    // As for the parser: nearly all that is made of a large configuration stays.
    await withSteadyHeap(sizeOfObjects(loaded.resources.length), () => take(loaded, started));
  }

  async function take(loaded: Loaded, started: number): Promise<void> {
    const finish = (state: ConfigState['state'], problems: readonly Problem[]): ConfigState => {
      const { files, resources } = loaded;
      config = { state, at: Date.now(), files: files.length, resources: resources.length, problems, took: performance.now() - started };
      return config;
    };
    const refuseAll = (problems: readonly Problem[]): void => notify({ type: 'refused', config: finish('refused', problems) });
    if (isBlocking(loaded.problems, options.allowUnenforced)) return refuseAll(loaded.problems);

    let made: ReturnType<typeof generate>;
    try {
      made = generate(loaded);
    } catch (error) {
      return refuseAll([...loaded.problems, internal(error)]);
    }
    const problems = uniqueProblems([...loaded.problems, ...made.problems]);
    if (isBlocking(problems, options.allowUnenforced)) return refuseAll(problems);

    mesh = made.mesh;
    // Before the others: a port that moves from one proxy to another must be free.
    const removed = await removeAllBut(new Set(made.snapshots.map((s) => s.proxy.id)));
    await options.provideSecrets?.(mesh, made.snapshots);
    const changed = await applyAll(made.snapshots);
    notify({ type: 'accepted', config: finish('accepted', problems), changed, removed });
  }

  const { paths, besides, meshConfig, namespace } = options;
  const load = createLoader(paths, { namespace, meshConfig, besides, leaveOut: true });

  function generate(loaded: Loaded): { mesh: Mesh; snapshots: Snapshot[]; problems: Problem[] } {
    const next = buildMesh(loaded.resources, {
      meshConfig: loaded.meshConfig,
      meshConfigSource: loaded.meshConfigSource,
      previous: mesh,
    });
    const nodes =
      options.choose?.(next) ??
      proxiesOf(next, {
        addresses: options.addresses.list,
        nodeName: options.addresses.nodeName,
        pods: options.pods ?? 'node',
      });
    const snapshots = nodes.map((node) => buildSnapshot(next, node, proxies.get(node.id)?.snapshot));
    return { mesh: next, snapshots, problems: [...next.problems, ...snapshots.flatMap((s) => s.problems)] };
  }

  /** The proxies that run something new now. One that waits for a port of another gets a second try when that one has moved. */
  async function applyAll(snapshots: readonly Snapshot[]): Promise<ProxySync[]> {
    const changed: ProxySync[] = [];
    for (const snapshot of snapshots) {
      pending.set(snapshot.proxy.id, snapshot);
      // Whoever asks now sees all that are being started.
      syncOf(snapshot.proxy);
    }
    let waiting = snapshots;
    for (let progress = true; progress && waiting.length > 0; ) {
      const refused: Snapshot[] = [];
      progress = false;
      for (const snapshot of waiting) {
        const outcome = await apply(snapshot);
        if (outcome === 'changed') changed.push(proxies.get(snapshot.proxy.id) as ProxySync);
        if (outcome === 'unavailable') return changed;
        if (outcome === 'no-port') refused.push(snapshot);
        else progress ||= outcome === 'changed';
      }
      waiting = refused;
    }
    return changed;
  }

  function syncOf(node: ProxyNode): ProxySync {
    const sync: ProxySync = proxies.get(node.id) ?? { node, applied: undefined, refused: undefined, snapshot: undefined };
    proxies.set(node.id, sync);
    return sync;
  }

  async function apply(snapshot: Snapshot): Promise<'changed' | 'same' | 'refused' | 'no-port' | 'unavailable'> {
    const { id } = snapshot.proxy;
    const sync = syncOf(snapshot.proxy);
    const onItsWay = sync.sent === snapshot.version && !sync.refused;
    if (onItsWay || (sync.sent === undefined && sync.applied?.version === snapshot.version)) {
      // Provenance may point to other lines, and the model's own objects are new ones.
      Object.assign(sync, { node: snapshot.proxy, snapshot, refused: undefined });
      pending.delete(id);
      return 'same';
    }
    const has = engine.onTaken ? sync.sent !== undefined && !sync.refused : sync.applied !== undefined;
    const onlyEndpoints = has && onlyEndpointsDiffer(sync.snapshot, snapshot);
    try {
      const result = onlyEndpoints ? await engine.applyEndpoints(id, snapshot.version, snapshot.endpoints) : await engine.apply(snapshot);
      if (result.applied && result.later) {
        Object.assign(sync, { node: snapshot.proxy, snapshot, sent: snapshot.version });
        pending.delete(id);
        return 'changed';
      }
      if (result.applied) {
        Object.assign(sync, { node: snapshot.proxy, snapshot, applied: { version: snapshot.version, at: Date.now() }, refused: undefined });
        pending.delete(id);
        return 'changed';
      }
      refuse(sync, snapshot, result.problems);
      return result.problems.some((p) => p.rule === 'listener/port-in-use') ? 'no-port' : 'refused';
    } catch (error) {
      // The engine is away: the rest would wait in vain as well.
      refuse(sync, snapshot, [engineProblem(error)]);
      return 'unavailable';
    }
  }

  /** Told once: a retry with the same outcome is no news. */
  function refuse(sync: ProxySync, snapshot: Snapshot, found: readonly Problem[]): void {
    const problems = locateRefusal(found, snapshot, mesh);
    const before = sync.refused;
    const known = before?.version === snapshot.version && JSON.stringify(before.problems) === JSON.stringify(problems);
    if (known) return;
    sync.refused = { version: snapshot.version, at: Date.now(), problems };
    notify({ type: 'proxy-refused', proxy: sync });
  }

  async function removeAllBut(keep: ReadonlySet<string>): Promise<string[]> {
    const gone = new Set([...proxies.keys(), ...engine.leftovers()].filter((id) => !keep.has(id)));
    for (const id of gone) {
      await engine.remove(id);
      proxies.delete(id);
      pending.delete(id);
    }
    return [...gone];
  }

  async function loop(): Promise<void> {
    do {
      again = false;
      await once();
    } while (again);
  }

  /** One at a time. */
  function run(work: () => Promise<void>): Promise<void> {
    const mine = (running ?? Promise.resolve()).then(work).finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  }

  return {
    origin: { paths, cluster: besides?.name, meshConfig, namespace, directory: process.cwd() },
    sync() {
      if (syncing) again = true;
      syncing ??= run(loop).finally(() => {
        syncing = undefined;
      });
      return syncing;
    },
    retry: () =>
      run(async () => {
        if (pending.size === 0) return;
        const changed = await applyAll([...pending.values()]);
        if (changed.length > 0 && config.state === 'accepted') notify({ type: 'accepted', config, changed, removed: [] });
      }),
    restore: (snapshots) =>
      run(async () => {
        await options.provideSecrets?.(mesh, snapshots);
        await applyAll(snapshots);
      }),
    config: () => config,
    proxies: () => [...proxies.values()],
    mesh: () => mesh,
  };
}

type Loaded = Pick<LoadResult, 'files' | 'resources' | 'problems' | 'meshConfig' | 'meshConfigSource'>;

/** An endpoint change reaches the engine as endpoints alone. */
function onlyEndpointsDiffer(a: Snapshot | undefined, b: Snapshot): boolean {
  return a !== undefined && a.listeners === b.listeners && a.routes === b.routes && a.clusters === b.clusters;
}

/** A path that cannot be read is a problem like any other while the agent runs: the last good config stays. */
function asProblems(error: unknown): Loaded {
  return {
    resources: [],
    files: [],
    meshConfig: undefined,
    meshConfigSource: undefined,
    problems: [error instanceof FairleadError ? unreadable(error) : internal(error)],
  };
}

function unreadable({ message, next }: FairleadError): Problem {
  return { severity: 'error', rule: 'config/unreadable', message, ...(next ? { hint: next } : {}) };
}

/** A mistake of ours must not take the mesh down: the last good config runs on. */
function internal(error: unknown): Problem {
  const message = `internal error: ${error instanceof Error ? error.message : String(error)}`;
  return {
    severity: 'error',
    rule: 'internal/error',
    message,
    hint: 'this is a bug in Fairlead; the agent’s log has more with FAIRLEAD_DEBUG=1',
  };
}

function engineProblem(error: unknown): Problem {
  const { message } = error as Error;
  const hint = error instanceof FairleadError ? error.next : undefined;
  return { severity: 'error', rule: 'engine/unavailable', message, ...(hint ? { hint } : {}) };
}
